import { describe, expect, it } from '@jest/globals';
import { decodeText, readHeaders, valueOf, valuesOf } from './headers.ts';

const read = (text: string) => readHeaders(Buffer.from(text, 'latin1'));

describe('readHeaders', () => {
  it('unfolds, lowers names, and stops at the empty line', () => {
    const fields = read('Subject: one\r\n two\r\n\tthree\r\nFROM: a@b.example\r\n\r\nSubject: body\r\n');
    expect(fields).toEqual([
      { name: 'subject', value: 'one two\tthree' },
      { name: 'from', value: 'a@b.example' },
    ]);
  });

  it.each([
    ['bare line feeds', 'Subject: x\nFrom: y\n\nbody'],
    ['no body', 'Subject: x\r\nFrom: y'],
    ['empty lines before it', '\r\n\r\nSubject: x\r\nFrom: y\r\n\r\n'],
    ['the separator of an mbox before it', 'From y Mon Jan  5 10:00:00 2026\nSubject: x\nFrom: y\n\n'],
    ['lines that are no fields', 'what is this\nSubject: x\n: nothing\nFrom: y\n\n'],
  ])('reads a header with %s', (_, text) => {
    expect([valueOf(read(text), 'subject'), valueOf(read(text), 'from')]).toEqual(['x', 'y']);
  });

  it('has nothing of what is no mail', () => {
    for (const text of ['', '\0\0\0', '\r\n', 'From ', '{"json":true}']) expect(read(text)).toEqual([]);
  });

  it('reads UTF-8 as UTF-8 and everything else as Western', () => {
    expect(valueOf(readHeaders(Buffer.from('Subject: žluť\n\n')), 'subject')).toBe('žluť');
    expect(valueOf(read('Subject: caf\xe9 \x80\n\n'), 'subject')).toBe('café €');
  });

  it('finds the sender behind a megabyte of other fields, and cuts a field that is a megabyte itself', () => {
    const fields = read(`X-Junk: ${'a '.repeat(500_000)}\nReferences: ${'<x@y> '.repeat(200_000)}\n${'Received: x\n'.repeat(1_000)}From: a@b.example\n\n`);
    expect(valueOf(fields, 'from')).toBe('a@b.example');
    expect(valueOf(fields, 'references')!.length).toBeLessThan(33_000);
    expect(valuesOf(fields, 'received')).toHaveLength(20);
  });
});

describe('decodeText', () => {
  it.each([
    ['windows-1252', [0x92, 0x80], '’€'],
    ['iso-8859-1', [0x93, 0x94], '“”'],
    ['koi8-r', [0xf0, 0xf2], 'ПР'],
    ['gb2312', [0xc4, 0xe3], '你'],
    ['utf-8', [0xc3, 0xa9], 'é'],
    ['x-martian', [0xc3, 0xa9], 'é'],
    ['x-martian', [0xe9], 'é'],
  ])('%s', (label, bytes, text) => {
    expect(decodeText(Buffer.from(bytes), label)).toBe(text);
  });
});
