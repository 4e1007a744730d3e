export interface Product {
  sku: string;
  name: string;
  priceCents: number;
}

const products: Product[] = [
  { sku: 'MUG-01', name: 'Enamel mug', priceCents: 1450 },
  { sku: 'TEE-07', name: 'Harbour tee', priceCents: 2900 },
  { sku: 'CAP-03', name: 'Deckhand cap', priceCents: 2200 },
];

export function listProducts(): Product[] {
  return products;
}

export function findProduct(sku: string): Product | undefined {
  return products.find((product) => product.sku === sku.toUpperCase());
}
