namespace Datacake.Administration;

/// <summary>Something that an operator should know about a node, with the remedy.</summary>
/// <param name="Severity">The urgency.</param>
/// <param name="Code">A short name that stays the same in later versions, for scripts, such as <c>member-down</c>.</param>
/// <param name="Problem">The problem, as a sentence.</param>
/// <param name="Remedy">The remedy, as a sentence.</param>
public sealed record Finding(FindingSeverity Severity, string Code, string Problem, string Remedy);
