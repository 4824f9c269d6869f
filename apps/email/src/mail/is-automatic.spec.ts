import { describe, expect, it } from '@jest/globals';
import { readHeaders } from './headers.ts';
import { isAutomatic, isNoReply } from './is-automatic.ts';

const judge = (...lines: string[]) => isAutomatic(readHeaders(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)));
const none = { autoReply: false, bulk: false, bounce: false };

describe('isAutomatic', () => {
  it.each([
    ['an ordinary mail', ['From: ann@example.org', 'Subject: Hello', 'Return-Path: <ann@example.org>']],
    // What FreeScout takes for an automatic answer.
    ['Auto-Submitted: no', ['Auto-Submitted: no']],
    ['Auto-Submitted: No; comment', ['Auto-Submitted: No; owner="x"']],
    // What Exchange writes on mail of people.
    ['suppressed receipts', ['X-Auto-Response-Suppress: DR, RN, NRN']],
    ['a person who writes "out of office" in a new mail', ['Subject: Out of office next week, who covers?']],
    ['a subject about bounces', ['From: ann@example.org', 'Subject: Undeliverable parcel']],
  ])('%s is somebody’s own', (_, lines) => {
    expect(judge(...lines)).toEqual(none);
  });

  it.each([
    ['Auto-Submitted: auto-replied', ['Auto-Submitted: auto-replied (vacation)']],
    ['Auto-Submitted: auto-generated', ['auto-submitted: AUTO-GENERATED']],
    ['an unknown keyword', ['Auto-Submitted: x-robot']],
    ['X-Autoreply', ['X-Autoreply: yes']],
    ['X-Autorespond', ['X-Autorespond: x']],
    ['Precedence: auto_reply', ['Precedence: auto_reply']],
    ['the null sender', ['Return-Path: <>']],
    ['postmaster', ['From: postmaster@example.org']],
    ['a read receipt', ['Content-Type: multipart/report; report-type=disposition-notification']],
    ['an absence in answer to something', ['Subject: Abwesenheitsnotiz: Ihr Ticket', 'In-Reply-To: <a@x>']],
    ['an absence from nobody', ['Subject: Out of Office', 'From: no-reply@example.org']],
  ])('%s is an automatic answer', (_, lines) => {
    expect(judge(...lines)).toMatchObject({ autoReply: true, bounce: false });
  });

  it.each([
    ['List-Unsubscribe', ['List-Unsubscribe: <https://x.example/u>']],
    ['List-Id', ['List-Id: <users.example.org>']],
    ['Precedence: list', ['Precedence: LIST']],
    ['Feedback-ID', ['Feedback-ID: 1:2:3']],
    ['X-Loop', ['X-Loop: support@acme.example']],
    ['X-Auto-Response-Suppress: All', ['X-Auto-Response-Suppress: All']],
  ])('%s wants no answer, but is no answer itself', (_, lines) => {
    expect(judge(...lines)).toEqual({ autoReply: false, bulk: true, bounce: false });
  });

  it.each([
    ['a delivery report', ['Content-Type: multipart/report; report-type="delivery-status"; boundary=x']],
    ['Exim’s', ['X-Failed-Recipients: ann@example.org']],
    ['a daemon that says it in words', ['From: MAILER-DAEMON@example.org', 'Subject: Undelivered Mail Returned to Sender']],
  ])('%s is a bounce', (_, lines) => {
    expect(judge(...lines)).toMatchObject({ autoReply: true, bounce: true });
  });
});

it.each([
  ['no-reply@example.org', true],
  ['noreply+123@example.org', true],
  ['do_not_reply@example.org', true],
  ['donotreply-billing@example.org', true],
  ['mailer-daemon@example.org', true],
  ['norep@example.org', false],
  ['ann.noreply@example.org', false],
  ['nora@example.org', false],
])('isNoReply(%s) is %s', (address, expected) => {
  expect(isNoReply(address)).toBe(expected);
});
