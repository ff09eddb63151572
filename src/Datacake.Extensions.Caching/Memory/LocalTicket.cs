namespace Datacake.Extensions.Caching.Memory;

/// <summary>The state of the changes of a document before it was read or written. An entry is added only if no other change was seen since.</summary>
/// <param name="Epoch">The number of times that the memory was cleared.</param>
/// <param name="Changes">The number of changes of documents in the same stripe.</param>
readonly record struct LocalTicket(int Epoch, int Changes);
