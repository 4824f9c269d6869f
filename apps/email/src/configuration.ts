import { secret } from '@tierline/channel';
import { z } from 'zod';

/** `implicit`: TLS from the first byte; `starttls`: refused without it; `none`: only inside a network that is trusted. */
const tls = z.enum(['implicit', 'starttls', 'none']);
const port = z.int().min(1).max(65_535);
const address = z.email().transform((value) => value.toLowerCase());

/** One mailbox of ours: where its mail comes from, and how its answers leave. */
export const mailbox = z.strictObject({
  address,
  /** Other addresses whose mail belongs to this mailbox. */
  aliases: z.array(address).default([]),
  /** Stands before the address in the mail we send. */
  displayName: z.string().min(1).max(200).optional(),
  brand: z.string().min(1).optional(),
  /** Whether the mail server delivers `support+anything@…` to this mailbox: then answers name their ticket in the address. */
  plusAddressing: z.boolean().default(true),
  /** The authserv-ids (RFC 8601) whose `Authentication-Results` are believed: those of the server that receives for us, and no others. */
  trustedAuthservIds: z.array(z.string().min(1)).default([]),
  imap: z
    .strictObject({
      host: z.string().min(1),
      port: port.default(993),
      user: z.string().min(1),
      password: secret(z.string().min(1)),
      tls: tls.default('implicit'),
      folder: z.string().min(1).default('INBOX'),
      /** Mail that was there before the first connection is taken from this day on; without it, none. */
      importSince: z.iso.date().optional(),
    })
    .optional(),
  smtp: z
    .strictObject({
      host: z.string().min(1),
      port: port.default(465),
      user: z.string().min(1).optional(),
      password: secret(z.string().min(1)).optional(),
      tls: tls.default('implicit'),
    })
    .optional(),
});
export type Mailbox = z.infer<typeof mailbox>;

/** The `email` section of tierline.yaml. A mailbox goes by its `ref` everywhere else, which is its address unless said otherwise. */
export const emailConfiguration = z.strictObject({
  mailboxes: z.array(mailbox.extend({ ref: z.string().min(1).max(200).optional() })).superRefine((mailboxes, context) => {
    const seen = new Set<string>();
    const unique = (name: string, path: (string | number)[]): void => {
      if (seen.has(name)) context.addIssue({ code: 'custom', path, message: `${name} stands here twice` });
      seen.add(name);
    };
    mailboxes.forEach((entry, index) => {
      unique(`ref ${entry.ref ?? entry.address}`, [index, entry.ref === undefined ? 'address' : 'ref']);
      unique(entry.address, [index, 'address']);
      entry.aliases.forEach((alias, position) => unique(alias, [index, 'aliases', position]));
    });
  }),
});
export type EmailConfiguration = z.infer<typeof emailConfiguration>;

/** The doors that this process opens for mail, and how large a mail may be. */
export const receiverConfig = z.object({
  /** 0: closed. */
  SMTP_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** 0: closed. */
  LMTP_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Gmail takes 25 MB of files, which are 35 MB in a mail. */
  MAIL_MAX_BYTES: z.coerce.number().int().min(1_024).default(36_700_160),
});
export type ReceiverConfig = z.infer<typeof receiverConfig>;
