import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownVersion } from '../../src/observe/own-version.ts';
import { type Block, blocksOf } from './blocks.ts';
import { type LinkText, roffOf } from './roff.ts';

/** A page of the manual, made from a file below docs/. */
interface Page {
  readonly name: string;
  readonly section: '5' | '7' | '8';
  readonly source: string;
  /** One line, for apropos(1). */
  readonly what: string;
  readonly also: readonly string[];
}

const PAGES: readonly Page[] = [
  {
    name: 'conntrack-ha',
    section: '8',
    source: 'commands.md',
    what: 'active-active stateful firewalls that survive a failure',
    also: ['conntrack-ha-cluster(5)', 'conntrack-ha-warnings(7)', 'conntrackd(8)', 'keepalived(8)', 'nft(8)'],
  },
  {
    name: 'conntrack-ha-cluster',
    section: '5',
    source: 'configuration.md',
    what: 'configuration of a conntrack-ha cluster',
    also: ['conntrack-ha(8)', 'conntrack-ha-warnings(7)', 'conntrackd.conf(5)', 'keepalived.conf(5)'],
  },
  {
    name: 'conntrack-ha-warnings',
    section: '7',
    source: 'warnings.md',
    what: 'what conntrack-ha warns of, and what to do',
    also: ['conntrack-ha(8)', 'conntrack-ha-cluster(5)'],
  },
];

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The pages of the manual by the names of their files. The same sources make the same pages, whenever it is. */
export const manPages = (): ReadonlyMap<string, string> => {
  const version = ownVersion();
  const date = releaseDate(readFileSync(`${ROOT}/conf/debian/changelog`, 'utf8'));
  return new Map(
    PAGES.map((page) => [
      `${page.name}.${page.section}`,
      pageOf(page, readFileSync(`${ROOT}/docs/${page.source}`, 'utf8'), version, date),
    ]),
  );
};

/** The date of a changelog's newest entry, such as 2026-11-30 (deb-changelog(5)). */
const releaseDate = (changelog: string): string => {
  const signed = /^ -- .*> {2}(.+)$/m.exec(changelog)?.[1] ?? '';
  return new Date(signed).toISOString().slice(0, 10);
};

const pageOf = (page: Page, markdown: string, version: string, date: string): string => {
  const [title, first, ...rest] = blocksOf(markdown);
  if (title?.kind !== 'heading' || title.level !== 1 || first === undefined) {
    throw new Error(`docs/${page.source} has no title in its first line`);
  }
  const blocks: readonly Block[] = [
    section('Name'),
    paragraph(`\`${page.name}\` - ${page.what}`),
    // Code before any word is how it is called.
    ...(first.kind === 'code'
      ? [section('Synopsis'), first, section('Description')]
      : [section('Description'), first]),
    ...rest,
    section('See also'),
    paragraph(page.also.map((other) => `\`${other}\``).join(', ')),
    paragraph('Files that are named here as `x.md` are in /usr/share/doc/conntrack-ha/docs.'),
  ];
  const name = page.name.replaceAll('-', '\\-');
  return [
    `.\\" Made from docs/${page.source} by scripts/manual/pages.ts`,
    // The last is the manual's title; that of section 7 would leave no room for a long name.
    `.TH ${name.toUpperCase()} ${page.section} ${date} "conntrack\\-ha ${version}" "conntrack\\-ha"`,
    // Flush left: long words to be typed would tear gaps. groff 1.23 asks the string at each paragraph, 1.22 doesn't know it.
    '.ds AD l',
    '.ad \\*(AD',
    ...roffOf(blocks, linkText),
    '',
  ].join('\n');
};

const section = (text: string): Block => ({ kind: 'heading', level: 2, text });

const paragraph = (text: string): Block => ({ kind: 'paragraph', text });

/** Another page by its name and section, another file by its name; of a place in the same page the text says enough. */
const linkText: LinkText = (text, target) => {
  const file = basename(target.replace(/#.*/, ''));
  if (file === '' || (text !== file && text.includes(file))) {
    return text;
  }
  const page = PAGES.find(({ source }) => source === file);
  const other = page === undefined ? `\`${file}\`` : `\`${page.name}(${page.section})\``;
  return text === file ? other : `${text} (${other})`;
};
