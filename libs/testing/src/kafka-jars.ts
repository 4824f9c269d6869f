import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Kafka 4 needs Java 17. */
const JAVA_MIN = 17;

/** Whether Java and Maven are there, which is all that a real Kafka needs. */
export async function hasJavaAndMaven(): Promise<boolean> {
  try {
    // Prints `openjdk version "17.0.15" …` on stderr.
    const [java] = await Promise.all([run('java', ['-version']), run('mvn', ['-version'])]);
    return Number(/version "(\d+)/.exec(java.stderr)?.[1]) >= JAVA_MIN;
  } catch {
    return false;
  }
}

/** The folder with the jars of a Kafka version, which Maven fetches the first time (45 MB). */
export async function kafkaJars(version: string, cacheDir: string): Promise<string> {
  const versionDir = join(cacheDir, version);
  const jars = join(versionDir, 'libs');
  if (existsSync(jars)) return jars;
  await mkdir(versionDir, { recursive: true });
  const unfinished = await mkdtemp(join(versionDir, 'fetching-'));
  try {
    await writeFile(join(unfinished, 'pom.xml'), pom(version));
    const copied = join(unfinished, 'libs');
    await run('mvn', ['-B', '-q', '-f', join(unfinished, 'pom.xml'), 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${copied}`]);
    // Another process may have been first: its jars are the same.
    await rename(copied, jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error;
    });
    return jars;
  } catch (error) {
    throw new Error(`Maven could not fetch Kafka ${version}: ${(error as { stdout?: string }).stdout || String(error)}`, { cause: error });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

// slf4j-simple writes warnings to stderr; Kafka brings the API alone.
const pom = (version: string) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tierline</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;
