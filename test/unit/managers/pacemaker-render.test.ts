import { describe, expect, it } from 'vitest';
import { groupsOf } from '../../../src/cluster/groups.ts';
import { FORMS, type Form, renderPacemaker } from '../../../src/managers/pacemaker/render.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

const clusterOf = (...names: readonly string[]) =>
  clusterConfig({
    nodes: names.map((name, index) => ({ name, id: index + 1, sync: `10.99.0.${index + 1}`, devices: {} })),
  });

const render = (
  form: Form,
  config = clusterConfig(),
  parameters: readonly (readonly [string, string])[] = [],
) => renderPacemaker(config, groupsOf(config), form, parameters);

const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length;

describe('renderPacemaker', () => {
  it('writes lines for crmsh', () => {
    expect(render('crmsh')).toMatchInlineSnapshot(`
      "# Pacemaker's resources for cluster test.
      # 'conntrack-ha render pacemaker | crm configure load update -' on one node gives it to the cluster.
      # Beside it: a fence device for each node and stonith-enabled=true; without any, stonith-enabled=false.
      # In the quorum section of corosync.conf two_node: 1, which implies wait_for_all: 1.
      primitive fw1_fw2 ocf:conntrack-ha:group \\
        op start interval=0s timeout=20s \\
        op stop interval=0s timeout=20s \\
        op promote interval=0s timeout=20s \\
        op demote interval=0s timeout=20s \\
        op monitor interval=10s role=Promoted timeout=20s \\
        op monitor interval=11s role=Unpromoted timeout=20s
      clone fw1_fw2-clone fw1_fw2 \\
        meta promotable=true promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 interleave=true notify=false multiple-active=stop_unexpected resource-stickiness=0
      primitive fw2_fw1 ocf:conntrack-ha:group \\
        op start interval=0s timeout=20s \\
        op stop interval=0s timeout=20s \\
        op promote interval=0s timeout=20s \\
        op demote interval=0s timeout=20s \\
        op monitor interval=10s role=Promoted timeout=20s \\
        op monitor interval=11s role=Unpromoted timeout=20s
      clone fw2_fw1-clone fw2_fw1 \\
        meta promotable=true promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 interleave=true notify=false multiple-active=stop_unexpected resource-stickiness=0
      "
    `);
  });

  it('writes commands of pcs', () => {
    expect(render('pcs')).toMatchInlineSnapshot(`
      "# Pacemaker's resources for cluster test.
      # 'conntrack-ha render pacemaker --form pcs | sh -e' on one node gives it to the cluster, once.
      # Beside it: a fence device for each node and stonith-enabled=true; without any, stonith-enabled=false.
      # In the quorum section of corosync.conf two_node: 1, which implies wait_for_all: 1.
      pcs resource create fw1_fw2 ocf:conntrack-ha:group \\
        op start interval=0s timeout=20s \\
          stop interval=0s timeout=20s \\
          promote interval=0s timeout=20s \\
          demote interval=0s timeout=20s \\
          monitor interval=10s role=Promoted timeout=20s \\
          monitor interval=11s role=Unpromoted timeout=20s \\
        promotable fw1_fw2-clone
      pcs resource meta fw1_fw2-clone promotable=true promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 interleave=true notify=false multiple-active=stop_unexpected resource-stickiness=0
      pcs resource create fw2_fw1 ocf:conntrack-ha:group \\
        op start interval=0s timeout=20s \\
          stop interval=0s timeout=20s \\
          promote interval=0s timeout=20s \\
          demote interval=0s timeout=20s \\
          monitor interval=10s role=Promoted timeout=20s \\
          monitor interval=11s role=Unpromoted timeout=20s \\
        promotable fw2_fw1-clone
      pcs resource meta fw2_fw1-clone promotable=true promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 interleave=true notify=false multiple-active=stop_unexpected resource-stickiness=0
      "
    `);
  });

  it('writes the resources of a CIB', () => {
    expect(render('cib')).toMatchInlineSnapshot(`
      "<!-- Pacemaker's resources for cluster test. -->
      <!-- On one node, 'cibadmin -M -c -o resources -p' gives it to the cluster. -->
      <!-- Beside it: a fence device for each node and stonith-enabled=true; without any, stonith-enabled=false. -->
      <!-- In the quorum section of corosync.conf two_node: 1, which implies wait_for_all: 1. -->
      <resources>
        <clone id="fw1_fw2-clone">
          <meta_attributes id="fw1_fw2-clone-meta_attributes">
            <nvpair id="fw1_fw2-clone-meta_attributes-promotable" name="promotable" value="true"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-promoted-max" name="promoted-max" value="1"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-promoted-node-max" name="promoted-node-max" value="1"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-clone-max" name="clone-max" value="2"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-clone-node-max" name="clone-node-max" value="1"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-interleave" name="interleave" value="true"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-notify" name="notify" value="false"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-multiple-active" name="multiple-active" value="stop_unexpected"/>
            <nvpair id="fw1_fw2-clone-meta_attributes-resource-stickiness" name="resource-stickiness" value="0"/>
          </meta_attributes>
          <primitive id="fw1_fw2" class="ocf" provider="conntrack-ha" type="group">
            <operations>
              <op id="fw1_fw2-start-interval-0s" name="start" interval="0s" timeout="20s"/>
              <op id="fw1_fw2-stop-interval-0s" name="stop" interval="0s" timeout="20s"/>
              <op id="fw1_fw2-promote-interval-0s" name="promote" interval="0s" timeout="20s"/>
              <op id="fw1_fw2-demote-interval-0s" name="demote" interval="0s" timeout="20s"/>
              <op id="fw1_fw2-monitor-interval-10s" name="monitor" interval="10s" role="Promoted" timeout="20s"/>
              <op id="fw1_fw2-monitor-interval-11s" name="monitor" interval="11s" role="Unpromoted" timeout="20s"/>
            </operations>
          </primitive>
        </clone>
        <clone id="fw2_fw1-clone">
          <meta_attributes id="fw2_fw1-clone-meta_attributes">
            <nvpair id="fw2_fw1-clone-meta_attributes-promotable" name="promotable" value="true"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-promoted-max" name="promoted-max" value="1"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-promoted-node-max" name="promoted-node-max" value="1"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-clone-max" name="clone-max" value="2"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-clone-node-max" name="clone-node-max" value="1"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-interleave" name="interleave" value="true"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-notify" name="notify" value="false"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-multiple-active" name="multiple-active" value="stop_unexpected"/>
            <nvpair id="fw2_fw1-clone-meta_attributes-resource-stickiness" name="resource-stickiness" value="0"/>
          </meta_attributes>
          <primitive id="fw2_fw1" class="ocf" provider="conntrack-ha" type="group">
            <operations>
              <op id="fw2_fw1-start-interval-0s" name="start" interval="0s" timeout="20s"/>
              <op id="fw2_fw1-stop-interval-0s" name="stop" interval="0s" timeout="20s"/>
              <op id="fw2_fw1-promote-interval-0s" name="promote" interval="0s" timeout="20s"/>
              <op id="fw2_fw1-demote-interval-0s" name="demote" interval="0s" timeout="20s"/>
              <op id="fw2_fw1-monitor-interval-10s" name="monitor" interval="10s" role="Promoted" timeout="20s"/>
              <op id="fw2_fw1-monitor-interval-11s" name="monitor" interval="11s" role="Unpromoted" timeout="20s"/>
            </operations>
          </primitive>
        </clone>
      </resources>
      "
    `);
  });

  it.each(FORMS)('puts six groups on three nodes: %s', (form) => {
    const text = render(form, clusterOf('fw1', 'fw2', 'fw3'));
    expect(count(text, /^ *(<clone |clone |pcs resource create )/gm)).toBe(6);
    expect(count(text, /(?:name=")?clone-max(?:" value="|=)"?3\b/g)).toBe(6);
    expect(text).toContain('no-quorum-policy=demote');
    expect(text).not.toContain('two_node: 1');
  });

  it('tells the resource agent what it can’t know', () => {
    const parameters = [['run', '/run/other']] as const;
    expect(render('crmsh', clusterConfig(), parameters)).toMatch(/^ {2}params run=\/run\/other \\$/m);
    expect(render('pcs', clusterConfig(), parameters)).toMatch(/^ {2}run=\/run\/other \\$/m);
    expect(render('cib', clusterConfig(), parameters)).toContain(
      '<nvpair id="fw1_fw2-instance_attributes-run" name="run" value="/run/other"/>',
    );
  });

  it('has no id that begins with a digit', () => {
    const config = clusterOf('1fw', '2fw');
    expect(render('cib', config)).not.toMatch(/id="\d/);
    expect(render('crmsh', config)).toMatch(
      /^primitive group-1fw_2fw ocf:conntrack-ha:group \\\n {2}params group=1fw_2fw \\$/m,
    );
  });

  // crmsh makes XML comments of its own, where neither may stand.
  it.each(['crmsh', 'cib'] as const)('has comments that XML can hold: %s', (form) => {
    const comments = render(form).match(/(?<=^# ).*|(?<=^<!-- ).*(?= -->)/gm) ?? [];
    expect(comments.length).toBeGreaterThan(2);
    for (const comment of comments) {
      expect(comment).not.toMatch(/--|-$/);
    }
  });
});
