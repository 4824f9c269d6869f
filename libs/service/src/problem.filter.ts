import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ZodError } from 'zod';
import { isConnectionError } from '@tierline/log';
import { DomainError } from './errors.ts';

interface Problem {
  status: number;
  code: string;
  detail: string;
  extra?: Record<string, unknown>;
}

/** Says every error as a problem document (RFC 9457); an error that nobody expected is logged and not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    // Errors of log handlers belong to the log, which retries and parks.
    if (host.getType() !== 'http') throw error;
    const response = host.switchToHttp().getResponse<Response>();
    const request = host.switchToHttp().getRequest<Request>();
    const problem = this.describe(error);
    if (problem.status >= 500)
      this.logger.error(`${request.method} ${request.path}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (response.headersSent) return;
    if (problem.status === 503) response.setHeader('Retry-After', '1');
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify({ type: `urn:tierline:${problem.code}`, title: problem.code, status: problem.status, detail: problem.detail, ...problem.extra }));
  }

  private describe(error: unknown): Problem {
    if (error instanceof DomainError) {
      return { status: error.status, code: error.code, detail: error.message, ...(error.details && { extra: error.details }) };
    }
    if (error instanceof ZodError) {
      return { status: 422, code: 'request.invalid', detail: 'the request does not have the expected shape', extra: { faults: faultsOf(error) } };
    }
    if (error instanceof HttpException) {
      return { status: error.getStatus(), code: `http.${error.getStatus()}`, detail: error.message };
    }
    if (isConnectionError(error)) {
      return { status: 503, code: 'database.unavailable', detail: 'the database cannot be reached; nothing was changed, try again' };
    }
    // body-parser and its kin carry a status of their own.
    const { status, statusCode, message } = error as { status?: unknown; statusCode?: unknown; message?: unknown };
    const own = typeof status === 'number' ? status : typeof statusCode === 'number' ? statusCode : 500;
    if (own >= 400 && own < 500) return { status: own, code: `http.${own}`, detail: String(message) };
    return { status: 500, code: 'internal', detail: 'something went wrong here; it was logged' };
  }
}

function faultsOf(error: ZodError): { path: string; message: string }[] {
  return error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
}
