import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

/** A kernel setting could not be read or written. */
export class SysctlError extends Error {
  override readonly name = 'SysctlError';
}

/**
 * The value of a setting such as `net.ipv4.ip_forward` in this network namespace, without the line's end; undefined
 * if the kernel has no such setting (perhaps its module isn't loaded). As with sysctl(8), a name may be written with
 * slashes, which it must be for an interface with a dot in its name.
 *
 * @throws SysctlError when it is there and can't be read
 */
export const readSysctl = async (name: string): Promise<string | undefined> => {
  try {
    return (await readFile(pathOf(name), 'utf8')).trimEnd();
  } catch (cause) {
    return withoutSetting(name, cause);
  }
};

/**
 * As `readSysctl`, at once, for those who read many of them often: it waits for no disk, and costs a twentieth.
 *
 * @throws SysctlError when it is there and can't be read
 */
export const readSysctlNow = (name: string): string | undefined => {
  try {
    return readFileSync(pathOf(name), 'utf8').trimEnd();
  } catch (cause) {
    return withoutSetting(name, cause);
  }
};

/**
 * Sets a kernel setting until the next boot; nothing in /etc changes.
 *
 * @throws SysctlError
 */
export const writeSysctl = async (name: string, value: string): Promise<void> => {
  try {
    await writeFile(pathOf(name), `${value}\n`);
  } catch (cause) {
    throw new SysctlError(`cannot set the kernel setting ${name} to ${value}: ${reason(cause)}`, { cause });
  }
};

const withoutSetting = (name: string, cause: unknown): undefined => {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
  throw new SysctlError(`cannot read the kernel setting ${name}: ${reason(cause)}`, { cause });
};

const pathOf = (name: string): string => `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
