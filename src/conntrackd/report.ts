import { MalformedAnswer } from './errors.ts';

/** A part of one of conntrackd's texts: a title, and what it says by label. */
export interface Section {
  /** Without the colon; empty for what stands before the first title. */
  readonly title: string;
  /** From 1. */
  readonly line: number;
  readonly fields: ReadonlyMap<string, Field>;
}

interface Field {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads the texts that conntrackd prints. Columns are parted by tabs or several spaces; a column is `label:` followed
 * by its value in the next, `label: value`, or `value label`. `failed:` belongs to the label before it and is called
 * `LABEL failed`.
 *
 * @throws {MalformedAnswer} naming the first line that is none of that
 */
export const readSections = (subject: string, answer: string): readonly Section[] => {
  if (!answer.endsWith('\n')) {
    throw new MalformedAnswer(subject, 0, answer === '' ? 'it is empty' : 'it is cut off');
  }
  let fields = new Map<string, Field>();
  const sections: Section[] = [{ title: '', line: 1, fields }];
  for (const [index, text] of answer.split('\n').entries()) {
    const line = index + 1;
    const columns = text
      .trim()
      .split(/\t+| {2,}/)
      .map((column) => column.trim())
      .filter((column) => column !== '');
    const [first] = columns;
    if (first === undefined) continue;
    if (columns.length === 1 && first.endsWith(':')) {
      fields = new Map();
      sections.push({ title: first.slice(0, -1), line, fields });
      continue;
    }
    for (const [label, value] of readColumns(subject, line, columns)) {
      fields.set(label, { line, text: value });
    }
  }
  return sections;
};

/**
 * The number behind a label.
 *
 * @throws {MalformedAnswer} if there is none
 */
export const numberOf = (subject: string, section: Section, label: string): number => {
  const field = section.fields.get(label);
  if (field === undefined) {
    throw new MalformedAnswer(subject, section.line, `"${label}" is missing under "${section.title}"`);
  }
  if (!/^\d+$/.test(field.text)) {
    throw new MalformedAnswer(subject, field.line, `expected a number for "${label}", got "${field.text}"`);
  }
  return Number(field.text);
};

/**
 * The section whose title begins with `title`.
 *
 * @throws {MalformedAnswer} if there is none
 */
export const sectionOf = (subject: string, sections: readonly Section[], title: string): Section => {
  const section = sections.find((candidate) => candidate.title.startsWith(title));
  if (section === undefined) {
    throw new MalformedAnswer(subject, 0, `"${title}" is missing`);
  }
  return section;
};

function* readColumns(
  subject: string,
  line: number,
  columns: readonly string[],
): Generator<[string, string]> {
  let previous = '';
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index] ?? '';
    const value = columns[index + 1];
    const together = /^(?<label>[^:]+): (?<value>.+)$/.exec(column)?.groups;
    const reversed = /^(?<value>\d+) (?<label>\D.*)$/.exec(column)?.groups;
    if (column.endsWith(':') && value !== undefined && !value.endsWith(':')) {
      const label = column.slice(0, -1);
      yield [label === 'failed' ? `${previous} failed` : label, value];
      previous = label;
      index += 1;
    } else if (together !== undefined) {
      yield [together['label'] ?? '', together['value'] ?? ''];
    } else if (reversed !== undefined) {
      yield [reversed['label'] ?? '', reversed['value'] ?? ''];
    } else {
      throw new MalformedAnswer(subject, line, `cannot read "${column.slice(0, 80)}"`);
    }
  }
}
