import * as z from 'zod';
import { TRANSITIONS } from '../transitions/steps.ts';

/** One step of a transition, as a line of the events file. */
export const stepSchema = z.object({
  /** ISO 8601. */
  time: z.string(),
  /** The same in all steps of one transition. */
  id: z.string(),
  node: z.string(),
  transition: z.enum(['takeover', 'release', 'rejoin', 'mend']),
  /** null: it is about all of them. */
  group: z.string().nullable(),
  step: z.string(),
  /** Milliseconds from the transition's begin to the end of this step. */
  ms: z.number(),
  reason: z.string(),
});

export type StepRecord = z.infer<typeof stepSchema>;

/** A transition as `events --json` prints it: stable, documented in docs/commands.md. */
export interface EventRecord {
  /** When it began. */
  readonly time: string;
  readonly node: string;
  readonly transition: StepRecord['transition'];
  /** null: it is about all of them. */
  readonly group: string | null;
  readonly reason: string;
  /** False: it was cut off, overtaken, or goes on. */
  readonly done: boolean;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

/** The transitions in the text of an events file, the oldest first. Lines that are cut or of another version don't count. */
export const readEvents = (text: string): readonly EventRecord[] => {
  const byId = new Map<string, StepRecord[]>();
  for (const line of text.split('\n').filter(Boolean)) {
    const step = parseStep(line);
    if (step !== undefined) {
      byId.set(step.id, [...(byId.get(step.id) ?? []), step]);
    }
  }
  return [...byId.values()].flatMap((steps) => eventOf(steps));
};

/** Events for people: a line each, and one with its steps. */
export const eventsText = (events: readonly EventRecord[]): string =>
  events
    .map(({ time, node, transition, group, reason, done, steps }) => {
      const course = steps.map(({ name, ms }) => `${name} ${ms.toFixed(1)}`).join(', ');
      const end = done ? '' : '; not finished';
      return `${time} ${node}: ${transition}${group === null ? '' : ` ${group}`}: ${reason}\n    ms: ${course}${end}`;
    })
    .join('\n');

const parseStep = (line: string): StepRecord | undefined => {
  try {
    const parsed = stepSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
};

const eventOf = (steps: readonly StepRecord[]): readonly EventRecord[] => {
  const [first] = steps;
  const last = steps.at(-1);
  if (first === undefined || last === undefined) {
    return [];
  }
  const { node, transition } = first;
  return [
    {
      time: new Date(Date.parse(first.time) - first.ms).toISOString(),
      node,
      transition,
      group: last.group,
      reason: last.reason,
      done: last.step === TRANSITIONS[transition].at(-1),
      steps: steps.map(({ step, ms }) => ({ name: step, ms })),
    },
  ];
};
