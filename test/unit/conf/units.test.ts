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

const TARGETS = ['network-online', 'network', 'sysinit', 'basic', 'shutdown', 'multi-user'];
const PROGRAMS = ['/usr/sbin/conntrackd', '/bin/rm', '/opt/conntrack-ha/hooks/start-agent'];

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
  cpSync(join(CONF, 'conntrack-ha.service'), join(root, 'usr/lib/systemd/system/conntrack-ha.service'));
  write(`etc/systemd/system/${DROP_IN}`, change(readFileSync(join(CONF, DROP_IN), 'utf8')));
  const units = ['conntrackd.service', 'conntrack-ha.service'];
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
