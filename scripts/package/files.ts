import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Writes a file, its directories with it. @param mode whatever the umask is */
export const put = async (file: string, content: string | Uint8Array, mode: number): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeFile(file, content);
  await chmod(file, mode);
};

export const link = async (file: string, to: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await symlink(to, file);
};

/** Paths relative to the directory, in order; none where there is no such directory. */
export const filesBelow = async (directory: string): Promise<readonly string[]> => {
  if (!existsSync(directory)) return [];
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
};

/** As `gzip -9n` has it: the same bytes from the same text. */
export const zipped = (text: string | Buffer): Buffer => gzipSync(text, { level: 9 });
