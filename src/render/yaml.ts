export { parseYamlDocuments } from '#base/yaml.ts';
