namespace Datacake.Administration.Contracts;

/// <summary>A keyspace of a store file.</summary>
/// <param name="Name">The name.</param>
/// <param name="Documents">The number of documents.</param>
/// <param name="Fingerprint">A hash of all documents, as 32 hexadecimal digits.</param>
sealed record KeyspaceSummary(string Name, long Documents, string Fingerprint);
