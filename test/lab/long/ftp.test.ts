import { join } from 'node:path';
import { test } from 'vitest';
import { bundle } from '../../../scripts/bundle.ts';
import { serveFiles } from '../../crossing/rig/file-server.ts';
import { FtpSession } from '../../crossing/rig/ftp-session.ts';
import { homeOf } from '../flows.ts';
import { createLab } from '../labs.ts';
import { SERVER, SHARED } from '../rig/plan.ts';
import { Story } from '../story.ts';

/** Strict rules of an administrator; loaded anew after each boot. */
const ADMINISTRATOR = `
table inet administrator {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "eth1" tcp dport 21 ct state new accept
  }
}
`;

/** One for each group; the second is routed to the first. */
const ADDRESSES = [SHARED.outside, '203.0.113.7'];

test.each([{ snat: false }, { snat: ADDRESSES }])(
  'FTP sessions that idle over a power cut, and over the hand-back, then transfer files, snat $snat',
  {
    timeout: 180_000,
  },
  async ({ snat }) => {
    const lab = await createLab({ cluster: { snat, manager: 'keepalived', more: ['helpers: [ftp]'] } });
    await lab.server.ip([`route add ${ADDRESSES[1]}/32 via ${SHARED.outside}`]);
    const program = join(lab.run.path, 'programs', 'ftp-program.cjs');
    await bundle('test/kernel/dataplane/ftp-program.ts', program);
    await serveFiles(lab.server);
    const story = await Story.begin(lab, 'keepalived', []);
    const strict = (name: 'fw1' | 'fw2') => lab.node(name).run(['nft', '-f', '-'], { input: ADMINISTRATOR });
    await Promise.all([strict('fw1'), strict('fw2')]);
    const sessions = lab.clients.flatMap(({ plan, machine }) =>
      (['fw1', 'fw2'] as const).map((home) => {
        const from = plan.addresses.find((address) => homeOf(address) === home) ?? '';
        return new FtpSession(machine, program, SERVER, from);
      }),
    );
    const each = (step: (session: FtpSession) => Promise<void>) => Promise.all(sessions.map(step));
    await each((session) => session.loggedIn());
    await each((session) => session.agree('PASV'));
    await story.powerCut('fw1');
    // What was agreed on before, then what is agreed on now.
    await each((session) => session.fetch());
    for (const how of ['PASV', 'EPSV'] as const) {
      await each((session) => session.agree(how));
      await each((session) => session.fetch());
    }
    await story.comeBack('fw1');
    await strict('fw1');
    for (const how of ['EPSV', 'PORT', 'PASV', 'EPRT'] as const) {
      await each((session) => session.agree(how));
      await each((session) => session.fetch());
    }
    await each((session) => session.end());
  },
);
