namespace Datacake.Tool.Transfers;

/// <summary>The result of an export or an import.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="File">The file.</param>
/// <param name="Documents">The number of documents of this run.</param>
/// <param name="Seconds">The time that it took.</param>
/// <param name="DocumentsPerSecond">The documents per second.</param>
sealed record TransferResult(string Keyspace, string File, long Documents, double Seconds, double DocumentsPerSecond);
