import { createHash } from 'node:crypto';
import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Role } from '@tierline/events';
import { EventLog } from '@tierline/log';
import type { Request } from 'express';
import { DomainError } from './errors.ts';

const PUBLIC = 'tierline:public';
const ROLES = 'tierline:roles';

/** Who is calling: the subject that a token was issued to. */
export interface Identity {
  subject: string;
  roles: readonly Role[];
}

/** Opens a route to everybody: health, and doors that check a signature or a session of their own. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);
/** Lets in whoever has one of the roles; administrators always. A route without it lets in every valid token. */
export const Roles = (...roles: Role[]): MethodDecorator & ClassDecorator => SetMetadata(ROLES, roles);
/** The caller's identity, as a handler's parameter. */
export const Who = createParamDecorator((_: unknown, context: ExecutionContext): Identity => context.switchToHttp().getRequest<GuardedRequest>().identity!);

export type GuardedRequest = Request & { identity?: Identity };

/** A revoked token may be used this much longer. */
const REMEMBER_MS = 5_000;
const REMEMBER_MAX = 10_000;

/** Tokens by their SHA-256: one indexed look-up, remembered for a few seconds. */
@Injectable()
export class AccessTokens {
  private readonly remembered = new Map<string, { identity: Identity | undefined; until: number }>();
  private readonly adminSha256: string | undefined;

  constructor(
    private readonly log: EventLog,
    adminToken: string | undefined,
  ) {
    this.adminSha256 = adminToken === undefined ? undefined : sha256(adminToken);
  }

  /** Whose token this is; undefined when it is unknown, expired or revoked. */
  async identify(token: string): Promise<Identity | undefined> {
    const hash = sha256(token);
    if (hash === this.adminSha256) return { subject: 'administrator', roles: ['admin'] };
    const known = this.remembered.get(hash);
    if (known && known.until > performance.now()) return known.identity;
    const [row] = await this.log.dataSource.query<{ subject: string; roles: Role[] }[]>(
      `SELECT subject, roles FROM ${this.log.schema}.access_token WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [hash],
    );
    if (this.remembered.size >= REMEMBER_MAX) this.remembered.clear();
    // A token that is not known yet may be issued any moment: only the known are remembered.
    if (row) this.remembered.set(hash, { identity: row, until: performance.now() + REMEMBER_MS });
    return row;
  }
}

/** Lets nobody in without a token, except where a route is `@Public()`. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const identity = token === undefined ? undefined : await this.tokens.identify(token);
    if (!identity) throw new DomainError(401, 'access.unauthenticated', 'a valid bearer token is needed');
    const roles = this.reflector.getAllAndOverride<Role[] | undefined>(ROLES, targets);
    if (roles && !identity.roles.includes('admin') && !roles.some((role) => identity.roles.includes(role))) {
      throw new DomainError(403, 'access.forbidden', `this needs one of the roles ${roles.join(', ')}`);
    }
    request.identity = identity;
    return true;
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
