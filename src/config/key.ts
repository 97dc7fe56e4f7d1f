import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The file with the agents' shared key can't be used. */
export class KeyError extends Error {
  readonly path: string;

  constructor(path: string, problem: string, mend: string, options?: ErrorOptions) {
    super(`key file ${path}: ${problem}; ${mend}`, options);
    this.name = 'KeyError';
    this.path = path;
  }
}

/**
 * Reads the key with which agents authenticate their messages: the bytes of the file as they are, 32 at the least.
 * The file must belong to root or to the user of this process, and nobody else may read or write it.
 *
 * @throws KeyError
 */
export const readKey = async (path: string): Promise<Buffer> => {
  const file = await openKey(path);
  try {
    const { uid, mode, size } = await regular(file, path);
    const user = process.geteuid?.() ?? 0;
    if (uid !== 0 && uid !== user) {
      throw new KeyError(path, `belongs to user ${uid}`, `run: chown ${user} ${path}`);
    }
    if ((mode & OTHERS) !== 0) {
      const shown = (mode & 0o7777).toString(8).padStart(4, '0');
      throw new KeyError(path, `others than its owner may use it (mode ${shown})`, `run: chmod 600 ${path}`);
    }
    if (size < LEAST_BYTES || size > MOST_BYTES) {
      throw new KeyError(path, `is ${size} bytes long, not ${LEAST_BYTES} to ${MOST_BYTES}`, making(path));
    }
    return await file.readFile();
  } catch (error) {
    throw error instanceof KeyError ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
};

const LEAST_BYTES = 32;
const MOST_BYTES = 4096;
/** Permissions of the group and of everybody else. */
const OTHERS = 0o077;

const making = (path: string): string =>
  `run: (umask 077; head -c ${LEAST_BYTES} /dev/urandom > ${path}) and copy it to the other node`;

const openKey = async (path: string): Promise<FileHandle> => {
  try {
    // A FIFO would keep open() waiting for a writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new KeyError(path, 'is not there', making(path), { cause: error });
    }
    throw unreadable(path, error);
  }
};

const regular = async (file: FileHandle, path: string) => {
  const status = await file.stat();
  if (!status.isFile()) {
    throw new KeyError(path, 'is not a file', making(path));
  }
  return status;
};

const unreadable = (path: string, error: unknown): KeyError =>
  new KeyError(
    path,
    `can't be read: ${error instanceof Error ? error.message : String(error)}`,
    'check its owner and permissions, and those of its directories',
    { cause: error },
  );
