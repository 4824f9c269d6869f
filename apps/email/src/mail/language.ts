import { eld } from 'eld/extrasmall';

/** Below this many letters a guess is worth less than none. */
const MIN_LETTERS = 20;
/** More makes no guess better. */
const MAX_CHARS = 500;

/** The language of a text, when there is enough of it. */
export function languageOf(text: string): { code: string; confidence: number; reliable: boolean } | undefined {
  const sample = text.slice(0, MAX_CHARS);
  if ((sample.match(/\p{L}/gu)?.length ?? 0) < MIN_LETTERS) return undefined;
  const result = eld.detect(sample);
  if (result.language === '') return undefined;
  return { code: result.language, confidence: Math.min(1, result.getScores()[result.language] ?? 0), reliable: result.isReliable() };
}
