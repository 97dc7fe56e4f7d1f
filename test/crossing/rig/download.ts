import type { Crossing, Side } from './crossing.ts';
import { FILE } from './file-server.ts';

/** How the data connection of FTP is agreed on: by whom it is made, and in which words. */
const FTP_MODES = {
  PASV: ['--disable-epsv'],
  EPSV: [],
  PORT: ['--disable-eprt', '--ftp-port', '-'],
  EPRT: ['--ftp-port', '-'],
} as const;
export type Download = keyof typeof FTP_MODES | 'TFTP';

/** Fetches the file from `source`; says how many bytes came, or why none. */
export const download = async (
  crossing: Crossing,
  from: Side['name'],
  source: string,
  server: string,
  how: Download,
): Promise<string> => {
  const scheme = how === 'TFTP' ? 'tftp' : 'ftp';
  const host = server.includes(':') ? `[${server}]` : server;
  const line = [
    ...['curl', '--silent', '--show-error', '--globoff', '--max-time', '4', '--interface', source],
    ...(how === 'TFTP' ? [] : FTP_MODES[how]),
    ...['--output', '/dev/null', '--write-out', '%{size_download}', `${scheme}://${host}/${FILE.name}`],
  ];
  return crossing.hosts[from].run(['sh', '-c', '"$@" 2>&1 || :', 'curl', ...line]);
};
