import { linkAddress } from './address.js';
import type { Config } from './ops/config.js';
import type { Log } from './ops/log.js';
import { StartError } from './start-error.js';
import type { CertificateProblem, Checked } from './transport/certificate-checks.js';
import { loadOrCreateTls, type TlsIdentity } from './transport/certificate-files.js';
import { CertificateKeeper, type CertificateNews } from './transport/certificate-keeper.js';
import { certificateNames } from './transport/certificate-names.js';

export interface CertificateOptions {
  readonly folder: string;
  readonly config: () => Config;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** What to serve with under a configuration, from the disk; made where it is ours to make. */
export function loadCertificate(
  options: Pick<CertificateOptions, 'folder' | 'nowMs'>,
  config: Config,
): Promise<Checked<TlsIdentity>> {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca } = config;
  const listenHosts = [config.listen.host, config.adminListen?.host].filter((host) => host !== undefined);
  return loadOrCreateTls({
    folder: options.folder,
    names: certificateNames({ listenHosts, advertise: config.advertise }),
    nowMs: options.nowMs(),
    ...(cert !== undefined && key !== undefined && ca !== undefined ? { own: { cert, key, ca } } : {}),
  });
}

/** @throws StartError CERTIFICATE_INVALID */
export async function keepCertificate(options: CertificateOptions): Promise<CertificateKeeper> {
  const { log, nowMs } = options;
  const first = await loadCertificate(options, options.config());
  if (!first.ok) throw startError(first.problem);
  if (first.value.issued !== undefined)
    log.info({ reason: first.value.issued }, 'a new server certificate was made');
  return new CertificateKeeper(first.value, {
    load: () => loadCertificate(options, options.config()),
    nowMs,
    asked: () => {
      const { listen, adminListen, advertise } = options.config();
      const { host } = linkAddress({ listen, advertise });
      return [...advertise, host, adminListen?.host ?? host].filter(
        (name) => name !== '0.0.0.0' && name !== '::',
      );
    },
    onNews: (news) => tell(log, news),
  });
}

export function startError({ code, message, next }: CertificateProblem): StartError {
  return new StartError(code, message, next);
}

function tell(log: Log, news: CertificateNews): void {
  if (news.type === 'taken') {
    const { source, issued, notAfterMs } = news.tls;
    const until = new Date(notAfterMs).toISOString();
    log.info({ source, reason: issued, until }, 'a new certificate is served; open connections stay');
  } else if (news.type === 'refused') {
    const { code, message, next } = news.problem;
    log.error({ code, next }, `the certificate stays as it is: ${message}`);
  } else if (news.type === 'expiring') {
    const until = new Date(news.tls.notAfterMs).toISOString();
    const next = 'Put a renewed one in its place, then: systemctl reload berthd (SIGHUP)';
    log.warn({ code: 'CERTIFICATE_EXPIRING', until, next }, 'the certificate expires soon');
  } else {
    const next = 'Have one signed for these names, or take them off advertise';
    log.warn(
      { code: 'CERTIFICATE_NAMES', uncovered: news.names, next },
      'clients that use these names will refuse the certificate',
    );
  }
}
