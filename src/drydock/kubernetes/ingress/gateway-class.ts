import { getString } from '#base/json.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';

export const ownGatewayController = 'drydock.slipway.dev/gateway';
export const gatewayClasses = 'gatewayclasses.gateway.networking.k8s.io';

export function isOwnGateway(api: ApiServer, gateway: ApiObject): boolean {
  const found = api.get(gatewayClasses, undefined, getString(gateway, 'spec', 'gatewayClassName') ?? '');
  return isOwnGatewayClass(found);
}

export function isOwnGatewayClass(gatewayClass: ApiObject | undefined): boolean {
  return getString(gatewayClass, 'spec', 'controllerName') === ownGatewayController;
}

/** The class that is there as soon as Gateway API's definitions are installed. */
export function ownGatewayClass(): ApiObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'drydock' },
    spec: { controllerName: ownGatewayController },
  };
}
