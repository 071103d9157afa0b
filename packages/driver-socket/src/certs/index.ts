export {
  createCertificates,
  inspectCertificates,
  rotateCertificates,
  type CertificateFacts,
  type CertificateSet,
  type CreateCertificatesOptions,
  type InspectCertificatesOptions,
  type RotateCertificatesOptions,
} from "./certificates.ts";
export { CERTIFICATE_FILES, type CertificateFileName } from "./certificate-folder.ts";
