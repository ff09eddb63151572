namespace Datacake.Administration;

/// <summary>The result of a command.</summary>
/// <param name="Message">A sentence for the operator.</param>
/// <param name="Count">The number of documents or other things that were changed.</param>
public sealed record CommandResult(string Message, long Count = 0);
