package rules

// The limits of the language. What exceeds one is refused, with the limit's
// name and number, and never cut.
const (
	// AudiencesMax bounds the audiences of an installation.
	AudiencesMax = 100_000
	// ConditionsMax bounds the conditions of one audience, groups included.
	ConditionsMax = 256
	// StepsMax bounds the steps of a sequence.
	StepsMax = 16
	// CountMax bounds what count, and the aggregate distinct, are compared with.
	CountMax = 10_000
	// SourceMax bounds one file, in bytes.
	SourceMax = 64 << 20
	// DefinitionMax bounds one definition in canonical form, in bytes.
	DefinitionMax = 256 << 10
	// NestingMax bounds how deep a document nests, lists and mappings alike.
	NestingMax = 100
	// StringMax bounds a name, description, event name, operand or CEL
	// expression, in bytes.
	StringMax = 4096
	// PatternMax bounds a regular expression, in bytes.
	PatternMax = 1024
	// KeyMax bounds an audience's key and a step's name, in bytes.
	KeyMax = 128
	// PathMax bounds a path to a property or trait, in bytes.
	PathMax = 512
	// CELCostMax bounds what evaluating a CEL expression once may cost, in
	// the units of CEL: about one for each operation, each member of a list
	// that is visited, and each ten bytes of text that are compared.
	CELCostMax = 20_000
	// aliasNodesMax bounds what the aliases of one YAML document may expand
	// to, in nodes, so that a small file cannot become a huge one.
	aliasNodesMax = 10_000
	// diagnosticsMax bounds the errors listed for one file.
	diagnosticsMax = 100
)
