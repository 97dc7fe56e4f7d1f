import type { Machine } from '../../lab/rig/machine.ts';
import { until } from '../../lab/rig/wait.ts';

/** What both servers have. */
export const FILE = { name: 'file', bytes: 300_000 } as const;
/** Where the servers take data connections, besides FTP's port 20. */
export const DATA_PORTS = { first: 30_000, last: 30_099 } as const;

/** Starts vsftpd and tftpd on a host. */
export const serveFiles = async (host: Machine): Promise<void> => {
  await host.run(['mkdir', '-p', '/run/files', '/run/empty']);
  await host.run(['truncate', '-s', String(FILE.bytes), `/run/files/${FILE.name}`]);
  await host.run(['tee', '/run/vsftpd.conf'], { input: VSFTPD });
  await host.spawn('vsftpd', ['vsftpd', '/run/vsftpd.conf']);
  const ports = `${DATA_PORTS.first}:${DATA_PORTS.last}`;
  await host.spawn('tftpd', ['in.tftpd', '--foreground', '--port-range', ports, '--secure', '/run/files']);
  const listening = () => host.run(['ss', '-Hltun', 'sport = :21 or sport = :69']);
  await until('the file servers', listening, 10_000, (text) => /:21\b/.test(text) && /:69\b/.test(text));
};

const VSFTPD = `\
background=NO
listen=NO
listen_ipv6=YES
anonymous_enable=YES
anon_root=/run/files
no_anon_password=YES
secure_chroot_dir=/run/empty
connect_from_port_20=YES
pasv_min_port=${DATA_PORTS.first}
pasv_max_port=${DATA_PORTS.last}
ftpd_banner=file server
`;
