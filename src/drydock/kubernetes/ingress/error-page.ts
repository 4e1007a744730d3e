import { STATUS_CODES } from 'node:http';

const reasons: Record<number, string> = {
  413: 'Request Entity Too Large',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** The page that a request without a backend's answer gets: status and its name, as nginx writes them. */
export function errorPage(status: number): { headers: Record<string, string>; body: string } {
  const title = `${status} ${reasons[status] ?? STATUS_CODES[status] ?? ''}`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>drydock ingress</center>\r\n</body>\r\n</html>\r\n`;
  return { headers: { 'Content-Type': 'text/html', 'Content-Length': String(Buffer.byteLength(body)) }, body };
}
