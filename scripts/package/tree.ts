import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/system/run.ts';
import { manPages } from '../manual/pages.ts';
import { filesBelow, link, put, zipped } from './files.ts';
import { nativePackages } from './native-packages.ts';
import { ARCHITECTURES, type Architecture, type NodeRuntime } from './node-runtime.ts';
import { stripped } from './strip.ts';

/** Where the program is on a target; in a clone it is below /opt/conntrack-ha, which the units and hooks name. */
const HOME = 'usr/lib/conntrack-ha';
const DOC = 'usr/share/doc/conntrack-ha';
const UNITS = 'usr/lib/systemd/system';

/** What is packed. */
export interface Sources {
  /** The repository's root, built. */
  readonly from: string;
  readonly architecture: Architecture;
  readonly runtime: NodeRuntime;
  /** Where what is fetched is kept. */
  readonly cache: string;
}

/** Lays out below `root` what the package installs, with the modes that it has there. */
export const layTree = async (root: string, sources: Sources): Promise<void> => {
  await layProgram(root, sources);
  await layIntegration(root, sources.from);
  await layDocs(root, sources.from);
};

/** As in a clone, so that the program finds its hooks, and the hooks the program. */
const layProgram = async (root: string, { from, architecture, runtime, cache }: Sources): Promise<void> => {
  const home = join(root, HOME);
  await put(join(home, 'bin/node'), await readFile(runtime.program), 0o755);
  await put(join(home, 'bin/conntrack-ha'), await readFile(join(from, 'conf/debian/conntrack-ha')), 0o755);
  const program = await readFile(join(from, 'dist/main.js'), 'utf8');
  // It is never started by itself, since which Node.js that would be isn't known.
  await put(join(home, 'dist/main.js'), program.replace(/^#!.*\n/, ''), 0o644);
  for (const file of ['package.json', 'dist/package.json']) {
    await put(join(home, file), await readFile(join(from, file)), 0o644);
  }
  await stripped(join(home, 'bin/node'), architecture);
  for (const { path, content } of await nativePackages(from, cache, architecture)) {
    await put(join(home, 'node_modules', path), content, 0o644);
    if (path.endsWith('.node')) await stripped(join(home, 'node_modules', path), architecture);
  }
  if (ARCHITECTURES[architecture] === process.arch) await loads(home);
  for (const path of await filesBelow(join(from, 'hooks'))) {
    const library = path === 'common.sh' || path === 'program.sh';
    await put(join(home, 'hooks', path), await installed(join(from, 'hooks', path)), library ? 0o644 : 0o755);
  }
  await link(join(root, 'usr/sbin/conntrack-ha'), '../lib/conntrack-ha/bin/conntrack-ha');
  // The directory and not the file: the agent looks for its libraries beside itself.
  await link(join(root, 'usr/lib/ocf/resource.d/conntrack-ha'), '../../conntrack-ha/hooks/ocf');
};

/** All that is in no bundle: a file that is missing would be missed on the target only. Throws ProgramError. */
const loads = async (home: string): Promise<void> => {
  const file = join(home, 'dist/loads.js');
  await put(file, "import('koffi').then(() => import('netlink'));\n", 0o644);
  await run(join(home, 'bin/node'), [file]);
  await rm(file);
};

/** What other programs read. */
const layIntegration = async (root: string, from: string): Promise<void> => {
  const conf = join(from, 'conf');
  for (const path of await filesBelow(conf)) {
    const unit = path.endsWith('.service') || path.includes('.service.d/');
    if (unit && !path.startsWith('debian/')) {
      await put(join(root, UNITS, path), await installed(join(conf, path)), 0o644);
    }
  }
  const completions = [
    ['conntrack-ha.bash', 'usr/share/bash-completion/completions/conntrack-ha'],
    ['_conntrack-ha', 'usr/share/zsh/vendor-completions/_conntrack-ha'],
  ] as const;
  for (const [name, place] of completions) {
    await put(join(root, place), await readFile(join(conf, 'completions', name)), 0o644);
  }
  // A forwarding machine is a decision of its administrator's, not of a package.
  const sysctl = await readFile(join(conf, 'sysctl.d/60-conntrack-ha.conf'), 'utf8');
  await put(join(root, 'etc/sysctl.d/60-conntrack-ha.conf'), sysctl.replaceAll(/^(?=net\.)/gm, '#'), 0o644);
  await mkdir(join(root, 'etc/conntrack-ha'), { recursive: true, mode: 0o755 });
};

const layDocs = async (root: string, from: string): Promise<void> => {
  const doc = join(root, DOC);
  await put(join(doc, 'README.md'), await readFile(join(from, 'README.md')), 0o644);
  for (const path of (await filesBelow(join(from, 'docs'))).filter((path) => path.endsWith('.md'))) {
    await put(join(doc, 'docs', path), await readFile(join(from, 'docs', path)), 0o644);
  }
  for (const path of ['cluster.yaml', 'conntrackd.conf.example', 'sysctl.d/60-conntrack-ha.conf']) {
    await put(join(doc, 'examples', path), await readFile(join(from, 'conf', path)), 0o644);
  }
  for (const [page, text] of manPages()) {
    const section = page.slice(page.lastIndexOf('.') + 1);
    await put(join(root, `usr/share/man/man${section}`, `${page}.gz`), zipped(text), 0o644);
  }
};

/** With the place that it has on a target. */
const installed = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8'))
    .replaceAll('/opt/conntrack-ha/docs', `/${DOC}/docs`)
    .replaceAll('/opt/conntrack-ha', `/${HOME}`);
