namespace Datacake.Administration;

/// <summary>The result of a command.</summary>
/// <param name="Message">A sentence for the operator.</param>
/// <param name="Count">The number of documents or other things that were changed.</param>
/// <param name="Store">The name of the store that the command was for; an empty text for the node's own store, and null if the node does not say.</param>
public sealed record CommandResult(string Message, long Count = 0, string? Store = null);
