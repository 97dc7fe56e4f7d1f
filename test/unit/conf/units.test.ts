import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { renderConntrackd } from '../../../src/conntrackd/render.ts';
import { edge, fw1 } from '../conntrackd/cluster.ts';

const CONF = fileURLToPath(new URL('../../../conf', import.meta.url));
const DROP_IN = 'conntrackd.service.d/conntrack-ha.conf';
const OWN = ['conntrack-ha.service', 'conntrack-ha-closed.service', 'conntrack-ha-drain.service'] as const;

/** As Debian 12's package has it. */
const DEBIAN = `[Unit]
Description=Conntrack Daemon
[Service]
Type=notify
ExecStart=/usr/sbin/conntrackd -C /etc/conntrackd/conntrackd.conf
Restart=on-failure
ProtectSystem=full
ProtectHome=true
[Install]
WantedBy=multi-user.target
`;

/** Likewise. */
const KEEPALIVED = `[Unit]
Description=Keepalive Daemon (LVS and VRRP)
After=network-online.target
Wants=network-online.target
[Service]
Type=notify
ExecStart=/usr/sbin/keepalived --dont-fork
[Install]
WantedBy=multi-user.target
`;

/** Likewise. */
const NFTABLES = `[Unit]
Description=nftables
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables.conf
[Install]
WantedBy=sysinit.target
`;

const TARGETS = [
  'network-online',
  'network-pre',
  'network',
  'local-fs',
  'sysinit',
  'basic',
  'shutdown',
  'multi-user',
];
const PROGRAMS = [
  '/usr/sbin/conntrackd',
  '/usr/sbin/keepalived',
  '/usr/sbin/nft',
  '/bin/rm',
  '/bin/true',
  '/opt/conntrack-ha/hooks/start-agent',
  '/opt/conntrack-ha/hooks/service',
];

const hasSystemd = execaSync('systemd-analyze', ['--version'], { reject: false }).exitCode === 0;

/** What systemd says of our units on a machine that has them and nothing else. */
const verify = async (change: (text: string) => string = (text) => text): Promise<string> => {
  const root = mkdtempSync(join(tmpdir(), 'conntrack-ha-units-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  for (const name of TARGETS) {
    write(`usr/lib/systemd/system/${name}.target`, `[Unit]\nDescription=${name}\n`);
  }
  for (const path of PROGRAMS) {
    write(path, '#!/bin/sh\n', 0o755);
  }
  write('usr/lib/systemd/system/conntrackd.service', DEBIAN);
  write('usr/lib/systemd/system/keepalived.service', KEEPALIVED);
  write('usr/lib/systemd/system/nftables.service', NFTABLES);
  for (const unit of OWN) cpSync(join(CONF, unit), join(root, 'usr/lib/systemd/system', unit));
  cpSync(join(CONF, 'keepalived.service.d'), join(root, 'etc/systemd/system/keepalived.service.d'), {
    recursive: true,
  });
  write(`etc/systemd/system/${DROP_IN}`, change(readFileSync(join(CONF, DROP_IN), 'utf8')));
  const units = ['conntrackd.service', 'keepalived.service', 'nftables.service', ...OWN];
  const { all } = await execa('systemd-analyze', [`--root=${root}`, '--man=no', 'verify', ...units], {
    all: true,
    reject: false,
  });
  return all;
};

test.runIf(hasSystemd)('systemd has nothing to say against the units', async () => {
  expect(await verify()).toBe('');
});

test.runIf(hasSystemd)('it would', async () => {
  expect(await verify((text) => text.replace('Restart=', 'Rstart='))).toContain("Unknown key 'Rstart'");
});

test('what the drop-in removes before a start is what the rendering names', () => {
  const removed = /^ExecStartPre=-\/bin\/rm -f (.+)$/m.exec(readFileSync(join(CONF, DROP_IN), 'utf8'))?.[1];
  const paths = { ...edge.paths, conntrackd: '/var/run/conntrackd.sock' };
  const rendered = renderConntrackd({ ...edge, paths }, fw1);
  const lock = /^\s*LockFile (\S+)$/m.exec(rendered)?.[1];
  const socket = /^\s*Path (\S+)$/m.exec(rendered)?.[1];
  expect(removed).toBe(`${lock} ${socket}`);
});

/** docs/systemd.md says what each is, and the command. */
test.runIf(hasSystemd).each([
  ['conntrack-ha.service', 30],
  ['conntrack-ha-closed.service', 35],
  ['conntrack-ha-drain.service', 15],
])('the exposure of %s is at most %d tenths', async (unit, most) => {
  const unitFile = join(CONF, unit);
  const threshold = `--threshold=${most}`;
  const { exitCode, stdout } = await execa(
    'systemd-analyze',
    ['security', '--offline=yes', '--no-pager', threshold, unitFile],
    { reject: false },
  );
  expect(exitCode, stdout.split('\n').at(-1)).toBe(0);
});

test('what the agent may, conntrackd may at most: else the agent couldn’t see which process that is', () => {
  const boundOf = (file: string): readonly string[] =>
    /^CapabilityBoundingSet=(.+)$/m.exec(readFileSync(join(CONF, file), 'utf8'))?.[1]?.split(' ') ?? [];
  expect(boundOf(DROP_IN)).not.toEqual([]);
  expect(boundOf('conntrack-ha.service')).toEqual(expect.arrayContaining([...boundOf(DROP_IN)]));
});
