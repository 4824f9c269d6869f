import { describe, expect, it } from '@jest/globals';
import { QUOTE_BEGINS, stripQuote } from './strip-quote.ts';

const OWN = 'Thanks, that works.';

describe('stripQuote', () => {
  it.each([
    ['Gmail', `${OWN}\n\nOn Sun, Jan 4, 2026 at 6:02 PM Ann <ann@example.org> wrote:\n> one\n> two`],
    ['Gmail, broken over two lines', `${OWN}\n\nOn Sun, Jan 4, 2026 at 6:02 PM Somebody With A Name <somebody@example.org>\nwrote:\n> one`],
    ['Apple without marks', `${OWN}\n\nOn 4 Jan 2026, at 18:02, Ann <ann@example.org> wrote:\n\none\ntwo`],
    ['Outlook', `${OWN}\n\n-----Original Message-----\nFrom: Ann\nSent: Sunday\nTo: Bob\nSubject: x\n\none`],
    [
      'Outlook’s line',
      `${OWN}\n________________________________\nFrom: Ann <ann@example.org>\nSent: Sunday, January 4, 2026 6:02 PM\nTo: Bob\nSubject: x\n\none`,
    ],
    ['Outlook in German', `${OWN}\n\nVon: Ann [mailto:ann@example.org]\nGesendet: Sonntag, 4. Januar 2026 18:02\nAn: Bob\nBetreff: x\n\none`],
    ['bold header', `${OWN}\n\n*From:* Ann\n*Date:* Sunday\n*To:* Bob\n\none`],
    ['German', `${OWN}\n\nAm 04.01.2026 um 18:02 schrieb Ann:\n> one`],
    ['French', `${OWN}\n\nLe dim. 4 janv. 2026 à 18:02, Ann <ann@example.org> a écrit :\n\n> one`],
    ['Spanish', `${OWN}\n\nEl dom, 4 ene 2026 a las 18:02, Ann (<ann@example.org>) escribió:\n> one`],
    ['Italian', `${OWN}\n\nIl giorno dom 4 gen 2026 alle ore 18:02 Ann ha scritto:\n> one`],
    ['Dutch', `${OWN}\n\nOp zo 4 jan 2026 om 18:02 schreef Ann:\n> one`],
    ['Polish', `${OWN}\n\nW dniu 4.01.2026 o 18:02, Ann pisze:\n\nniedz., 4 sty 2026 o 18:02 Ann <ann@example.org> napisał(a):\n> one`],
    ['Russian', `${OWN}\n\n4 января 2026 г., 18:02, Ann <ann@example.org> пишет:\n> one`],
    ['Japanese', `${OWN}\n\n2026年1月4日(日) 18:02 Ann <ann@example.org>のメール:\n> one`],
    ['what was made from HTML', `${OWN}\n\n${QUOTE_BEGINS}\n\nAnn, Sunday\none`],
    ['marks alone', `${OWN}\n\n> one\n>> two\n> three`],
    ['a signature', `${OWN}\n\n-- \nAnn\nAcme Inc.`],
    ['a telephone', `${OWN}\n\nSent from my iPhone\n\nOn 4 Jan 2026, at 18:02, Ann <ann@example.org> wrote:\n\n> one`],
    ['a German telephone', `${OWN}\n\nVon meinem Telefon gesendet`],
    ['Windows line ends', `${OWN}\r\n\r\nOn Jan 4, 2026, Ann wrote:\r\n> one\r\n`],
    ['an answer below', `On Jan 4, 2026, Ann wrote:\n> one\n>\n> two\n\n${OWN}`],
  ])('%s', (name, text) => {
    expect(stripQuote(text)).toBe(name === 'Polish' ? `${OWN}\n\nW dniu 4.01.2026 o 18:02, Ann pisze:` : OWN);
  });

  it.each([
    ['answers between quoted lines', 'On Jan 4, 2026, Ann wrote:\n> one?\nYes.\n> two?\nNo.'],
    ['a letter about what somebody wrote', 'On Monday my husband wrote:\nnothing at all.'],
    ['a letter from somebody to somebody', 'From: the north\nwe travelled for days.'],
    ['nothing but a quote', '> one\n> two'],
    ['nothing but a signature', '-- \nAnn'],
    ['a forward by its text', 'See below.\n\n---------- Forwarded message ---------\nFrom: Carl\nDate: x\nTo: y\n\n> quoted by Carl'],
    ['a forward in German', 'Bitte lesen.\n\nAnfang der weitergeleiteten Nachricht:\n\nVon: Carl\nDatum: heute\nAn: Ann\n\neins'],
    ['an empty mail', ''],
  ])('leaves alone: %s', (_, text) => {
    expect(stripQuote(text)).toBe(text.trim());
  });

  it('leaves alone a forward by its subject', () => {
    const text = 'Please see.\n\n-----Original Message-----\nFrom: Carl\nSent: Sunday\nTo: Ann\n\none';
    expect(stripQuote(text, 'WG: Complaint')).toBe(text);
    expect(stripQuote(text, 'Complaint')).toBe('Please see.');
  });

  it.each([
    ['quoted lines', '> quote\n'.repeat(200_000)],
    ['dashes', '-'.repeat(1_500_000)],
    ['empty lines', '\n'.repeat(1_500_000)],
    ['beginnings of quotes', 'On Jan 4\n'.repeat(150_000)],
    ['senders', 'From: a\n'.repeat(150_000)],
    ['brackets and ats', '<@ '.repeat(500_000)],
  ])('is not slowed down by a megabyte of %s', (_, text) => {
    // A rule that looked at every pair of characters would take hours.
    expect(stripQuote(`hello\n${text}`)).toMatch(/^hello/);
  });
});
