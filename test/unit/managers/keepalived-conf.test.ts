import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupsOf } from '../../../src/cluster/groups.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { confFaults } from '../../../src/managers/keepalived/conf-check.ts';
import { readConf } from '../../../src/managers/keepalived/conf-file.ts';
import { ConfWatch } from '../../../src/managers/keepalived/conf-watch.ts';
import { type KeepalivedForm, renderKeepalived } from '../../../src/managers/keepalived/render.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

/** A site's own: VRRPv2 with a password, and scripts of another user. */
const SITE = `! Ours since 2014
global_defs {
  router_id edge1   # not ours
  script_user keepalived_script
  vrrp_rt_priority 50
  vrrp_rlimit_rttime 5000000
}
vrrp_instance office
{
  interface eth9
  virtual_router_id 7
  authentication {
    auth_type PASS
    auth_pass "se#cret"
  }
}
include conntrack-ha.conf
`;

let directory: string;
let config: ClusterConfig;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepalived-conf-'));
  const { paths } = clusterConfig();
  config = clusterConfig({ paths: { ...paths, keepalivedConf: join(directory, 'keepalived.conf') } });
});

afterEach(() => rmSync(directory, { recursive: true }));

const put = (name: string, text: string): void => writeFileSync(join(directory, name), text);

const rendered = (form: KeepalivedForm): string => {
  const [node] = config.nodes;
  if (node === undefined) throw new RangeError('no node');
  return renderKeepalived(config, node, groupsOf(config), (hook) => `/opt/conntrack-ha/hooks/${hook}`, form);
};

const faults = (): readonly string[] =>
  confFaults(readConf(config.paths.keepalivedConf), config, groupsOf(config)).map(
    ({ code, text }) => `${code}: ${text}`,
  );

describe('a keepalived.conf', () => {
  it('with other VRIDs than the configuration has now is told so', () => {
    put('keepalived.conf', rendered('whole'));
    config = { ...config, keepalived: { ...config.keepalived, vrid: 95 } };
    expect(faults()).toEqual([
      expect.stringMatching(
        /^keepalived-vrid: .* has the VRID 50 \(fw1_fw2\) and 51 \(fw2_fw1\), and this cluster's configuration says 95 for fw1_fw2: /,
      ),
    ]);
    put('keepalived.conf', rendered('whole').replaceAll(/virtual_router_id \d+/g, 'virtual_router_id $ID'));
    expect(faults()).toEqual([]);
  });

  it('of ours lacks nothing', () => {
    put('keepalived.conf', rendered('whole'));
    expect(faults()).toEqual([]);
  });

  it('of a site lacks nothing where it includes our fragment', () => {
    put('keepalived.conf', SITE);
    put('conntrack-ha.conf', rendered('fragment'));
    expect(faults()).toEqual([]);
  });

  it('is followed through wildcards and directories, each from its own', () => {
    put('keepalived.conf', SITE.replace('include conntrack-ha.conf', 'includer conf.d/*.conf'));
    mkdirSync(join(directory, 'conf.d'));
    put('conf.d/50-ours.conf', 'include ../ours.conf');
    put('ours.conf', rendered('fragment'));
    expect(faults()).toEqual([]);
    put('conf.d/50-ours.conf', 'include ../theirs.conf');
    expect(faults()).toHaveLength(1);
  });

  it('without our instances is said to decide nothing', () => {
    put('keepalived.conf', SITE);
    expect(faults()).toEqual([
      `keepalived-instance: ${config.paths.keepalivedConf} has no vrrp_instance fw1_fw2, fw2_fw1, nor has what it includes: keepalived doesn't decide who owns them; include what "conntrack-ha render keepalived --fragment" prints, and reload keepalived`,
    ]);
  });

  it('without what tells the agent is said to be late', () => {
    put('keepalived.conf', SITE);
    put('conntrack-ha.conf', rendered('fragment').replace(/^ *notify ".*$/m, ''));
    expect(faults()).toEqual([
      expect.stringMatching(
        /^keepalived-notify: keepalived tells the agent nothing of fw1_fw2 \(vrrp_notify_fifo is not set in /,
      ),
    ]);
  });

  it('with another FIFO is said to be late for instances without a hook', () => {
    put('keepalived.conf', rendered('whole').replace(/vrrp_notify_fifo .*/, 'vrrp_notify_fifo /run/theirs'));
    expect(faults()).toEqual([
      expect.stringMatching(
        /^keepalived-notify: .* of fw1_fw2, fw2_fw1 \(vrrp_notify_fifo is \/run\/theirs in /,
      ),
    ]);
  });

  it.each([
    ['vrrp_rt_priority 50', '', /^keepalived-priority: keepalived has no realtime priority: /],
    ['vrrp_rlimit_rttime 5000000', '', /^keepalived-rttime: vrrp_rlimit_rttime is not set in /],
    [
      'vrrp_rlimit_rttime 5000000',
      'vrrp_rlimit_rttime 20000',
      /^keepalived-rttime: vrrp_rlimit_rttime is 20000 in /,
    ],
  ])('with "%s" changed to "%s" is said to be untimely', (line, other, fault) => {
    put('keepalived.conf', SITE.replace(line, other));
    put('conntrack-ha.conf', rendered('fragment'));
    expect(faults()).toEqual([expect.stringMatching(fault)]);
  });

  it('with variables is taken for right where they stand', () => {
    put('keepalived.conf', SITE.replace('5000000', '$LIMIT'));
    put('conntrack-ha.conf', rendered('fragment').replaceAll(/notify ".*"/g, 'notify $HOOK'));
    expect(faults()).toEqual([]);
  });

  it('that includes itself is read to an end', () => {
    put('keepalived.conf', `${rendered('whole')}\ninclude keepalived.conf\n`);
    expect(faults()).toEqual([]);
  });
});

describe('the fragment', () => {
  it('changes nothing for the instances and scripts of others', () => {
    const text = rendered('fragment');
    expect(text).not.toMatch(/global_defs|vrrp_version|script_user|enable_script_security|router_id [^\d]/);
    expect(text.match(/^ {2}version 3$/gm)).toHaveLength(2);
    expect(text.match(/^ {2}user root$/gm)).toHaveLength(1);
    expect(text.match(/^ {2}notify(_stop)? ".*" root$/gm)).toHaveLength(3);
  });
});

describe('the watch', () => {
  it('says each fault once, and that the file is not there only while keepalived runs', () => {
    const said: string[] = [];
    let runs = false;
    const watch = new ConfWatch(config, { warn: (text: string) => void said.push(text) }, () => runs);
    watch.look();
    expect(watch.warnings).toEqual([]);
    runs = true;
    watch.look();
    watch.look();
    expect(said).toEqual([expect.stringMatching(/^keepalived runs with a configuration that isn't where /)]);
    put('keepalived.conf', rendered('whole'));
    watch.look();
    expect([watch.warnings, said.length]).toEqual([[], 1]);
  });
});
