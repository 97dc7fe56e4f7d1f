import type { Block } from './blocks.ts';

/** What a link in the text says on paper: nobody can click on it. */
export type LinkText = (text: string, target: string) => string;

/** The blocks in the macros of man(7), as lines without an end. */
export const roffOf = (blocks: readonly Block[], link: LinkText): readonly string[] =>
  blocks.flatMap((block, index) => {
    const lines = linesOf(block, link);
    // A heading begins a paragraph already; mandoc complains of a second beginning.
    return lines[0] === '.PP' && blocks[index - 1]?.kind === 'heading' ? lines.slice(1) : lines;
  });

const linesOf = (block: Block, link: LinkText): readonly string[] => {
  const text = (markdown: string): readonly string[] => wrapped(inline(markdown, link));
  switch (block.kind) {
    case 'heading':
      return block.level <= 2
        ? [`.SH "${inline(capitals(block.text), link)}"`]
        : [`.SS "${inline(block.text, link)}"`];
    case 'paragraph':
      return ['.PP', ...text(block.text)];
    case 'item':
      return ['.IP \\(bu 2', ...text(block.text)];
    case 'code':
      return ['.PP', '.RS 4', '.EX', ...block.lines.map((line) => guarded(literal(line))), '.EE', '.RE'];
    case 'table':
      return block.rows.flatMap((row) => tagged(row, block.head, text));
  }
};

/** A row of a table: what it is about, then each cell with the name of its column, if that says more than the cell. */
const tagged = (
  [tag = '', ...cells]: readonly string[],
  [, ...columns]: readonly string[],
  text: (markdown: string) => readonly string[],
): readonly string[] => {
  const lines = cells.flatMap((cell, index) => {
    const column = columns[index] ?? '';
    const named = columns.length > 1 && !/^(meaning|what it .*)?$/.test(column);
    return cell === '' ? [] : [named ? `${column.charAt(0).toUpperCase()}${column.slice(1)}: ${cell}` : cell];
  });
  return [
    '.TP',
    text(tag).join(' '),
    ...lines.flatMap((line, index) => [...(index === 0 ? [] : ['.br']), ...text(line)]),
  ];
};

/** Sections are in capitals; keys and commands stay as they are written. */
const capitals = (heading: string): string =>
  heading.replace(/`[^`]*`|[^`]+/g, (part) => (part.startsWith('`') ? part : part.toUpperCase()));

const INLINE = /`([^`]+)`|\[([^\]]*)\]\(([^)]*)\)|\*\*([^*]+)\*\*|(?<![\w*])\*(?=\S)([^*]+)(?<=\S)\*(?!\w)/g;

/** Before a word: it isn't divided at the end of a line. Within one it would be a place to divide it. */
const WHOLE = '\\%';

/** What is to be typed stays in one piece, with the punctuation around it. */
const inline = (markdown: string, link: LinkText): string =>
  fonts(markdown, link, 'R').replace(/[^ ]+/g, (word) =>
    word.includes(WHOLE) ? WHOLE + word.replaceAll(WHOLE, '') : word,
  );

const fonts = (markdown: string, link: LinkText, font: string): string => {
  let out = '';
  let end = 0;
  for (const match of markdown.matchAll(INLINE)) {
    const [whole, code, label, target, strong, emphasis] = match;
    out += plain(markdown.slice(end, match.index));
    end = match.index + whole.length;
    if (code !== undefined) {
      out += `\\fB${literal(code).replace(/[^ ]+/g, `${WHOLE}$&`)}\\f${font}`;
    } else if (label !== undefined && target !== undefined) {
      out += fonts(link(label, target), link, font);
    } else if (strong !== undefined) {
      out += `\\fB${fonts(strong, link, 'B')}\\f${font}`;
    } else if (emphasis !== undefined) {
      out += `\\fI${fonts(emphasis, link, 'I')}\\f${font}`;
    }
  }
  return out + plain(markdown.slice(end));
};

const plain = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('"', '\\(dq');

/** What must be on paper as it is typed: groff makes other characters of these. */
const literal = (code: string): string => plain(code).replace(/[-'`^~]/g, (one) => LITERALS[one] ?? one);

const LITERALS: Readonly<Record<string, string>> = {
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** A text line that begins like a request isn't one. */
const guarded = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line);

const WIDTH = 79;

const wrapped = (text: string): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(guarded(line));
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, guarded(line)];
};
