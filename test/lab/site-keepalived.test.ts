import { expect, test } from 'vitest';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import { untilNoWarning } from './no-warning.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { warningTexts } from './warnings.ts';

/** VRRPv2 with a password, and a script that runs as somebody else. */
const SITE = `global_defs {
  router_id site
  script_user nobody
  vrrp_rt_priority 2
  vrrp_rlimit_rttime 1000000
}
vrrp_script site {
  script "/etc/keepalived/site-check"
  interval 1
}
vrrp_instance office {
  state BACKUP
  interface eth1
  virtual_router_id 7
  priority 100
  advert_int 1
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    192.168.0.77/32
  }
  track_script {
    site
  }
}
`;
const INCLUDE = 'include conntrack-ha.conf\n';
const CHECK = '#!/bin/sh\nid -un >/run/site/user\n';

const prepare = async (node: FirewallNode): Promise<void> => {
  await node.boot();
  await node.writeConfiguration('/etc/keepalived/site-check', CHECK, 0o755);
  await node.run(['install', '-d', '-o', 'nobody', '/run/site']);
  const fragment = await node.product(['render', 'keepalived', '--fragment']);
  await node.writeConfiguration('/etc/keepalived/conntrack-ha.conf', `${fragment}\n`);
};

/** The versions of VRRP that the advertisements of a router are of, as they come over the wire. */
const versionsOf = async (node: FirewallNode, router: number): Promise<readonly string[]> => {
  // The first byte after the IP header is version and type, the second the virtual router (RFC 5798, section 5.2).
  const capture = [
    'tcpdump',
    '-l',
    '-n',
    '-x',
    '-c',
    '5',
    '-i',
    'eth1',
    `ip proto 112 and ip[21] = ${router}`,
  ];
  const text = await node.run(capture);
  return [...text.matchAll(/0x0010: {2}(?:[0-9a-f]{4} ){2}([0-9a-f])1/g)].map(([, version = '']) => version);
};

test('beside a site’s own instance: it stays as it is, and ours lose nothing', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map(prepare));
  const flows = lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan));
  const story = await Story.begin(lab, 'keepalived', flows, () => `${SITE}${INCLUDE}`);
  await untilNoWarning(lab.nodes);
  const fw1 = lab.node('fw1');
  expect(new Set(await versionsOf(fw1, 7))).toEqual(new Set(['2']));
  expect(new Set(await versionsOf(fw1, 50))).toEqual(new Set(['3']));
  expect(await fw1.run(['cat', '/run/site/user'])).toBe('nobody');

  await story.powerCut('fw2');
  await story.steady();
  await prepare(lab.node('fw2'));
  await story.comeBack('fw2');
  await story.steady();
  await story.expectAllWell();
});

test('a site’s file without our fragment is named within 5 s', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
  await Promise.all(lab.nodes.map(prepare));
  const story = await Story.begin(lab, 'keepalived', [], () => `${SITE}${INCLUDE}`);
  const fw1 = lab.node('fw1');
  const named = async (warning: RegExp): Promise<void> => {
    await until(
      `${warning}`,
      () => warningTexts(fw1),
      5000,
      (warnings) => warnings.some((text) => warning.test(text)),
    );
  };
  await fw1.writeConfiguration('/etc/keepalived/keepalived.conf', SITE);
  await named(/^\/etc\/keepalived\/keepalived\.conf has no vrrp_instance fw1_fw2, fw2_fw1, /);
  await fw1.writeConfiguration(
    '/etc/keepalived/keepalived.conf',
    `${SITE.replace(/.*vrrp_rt_priority.*\n/, '')}${INCLUDE}`,
  );
  await named(/^keepalived has no realtime priority: /);
  await fw1.writeConfiguration('/etc/keepalived/keepalived.conf', `${SITE}${INCLUDE}`);
  await untilNoWarning(lab.nodes);
  await story.answered();
});
