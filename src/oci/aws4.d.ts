declare module 'aws4' {
  interface SignRequest {
    service: string;
    region: string;
    method: string;
    host: string;
    path: string;
    headers: Record<string, string>;
    body: string;
  }
  interface SignCredentials {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken: string;
  }
  const aws4: {
    sign(request: SignRequest, credentials: SignCredentials): { headers?: Record<string, string | number> };
  };
  export default aws4;
}
