import type { NextFunction, Request, Response } from 'express';

/** Lets the pages of our sites ask over HTTP (https://fetch.spec.whatwg.org/#http-cors-protocol); what others ask, their browser does not show them. */
export function cors(isAllowed: (origin: string) => boolean) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { origin } = request.headers;
    response.vary('Origin');
    if (origin !== undefined && isAllowed(origin)) {
      response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'Retry-After' });
      if (request.method === 'OPTIONS') {
        response.set({
          'Access-Control-Allow-Methods': 'GET, POST',
          'Access-Control-Allow-Headers': 'Authorization, Content-Type',
          'Access-Control-Max-Age': '600',
        });
      }
    }
    if (request.method === 'OPTIONS') response.status(204).end();
    else next();
  };
}
