const began = performance.now();
let open = false;
let written = 0;

/** Not a terminal: no more lines of one thing than this, in milliseconds. */
const PAUSE_MS = 10_000;

/** Says what is being done now, with the seconds since the start; on a terminal, steps of one thing share a line. */
export const progress = (what: string, step?: { readonly done: number; readonly of: number }): void => {
  const clock = `${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  `;
  if (!process.stderr.isTTY) {
    if (step === undefined || step.done === step.of || performance.now() - written > PAUSE_MS) {
      written = performance.now();
      process.stderr.write(`${clock}${what}${stepText(step)}\n`);
    }
    return;
  }
  const end = step === undefined || step.done === step.of ? '\n' : '';
  process.stderr.write(`${open ? '\r\x1b[K' : ''}${clock}${what}${stepText(step)}${end}`);
  open = end === '';
};

const stepText = (step: { readonly done: number; readonly of: number } | undefined): string =>
  step === undefined ? '' : ` ${step.done}/${step.of}`;
