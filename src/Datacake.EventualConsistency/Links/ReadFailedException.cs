namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The exception that is thrown when a replica cannot answer a read. The message gives the reason as a clause without a full stop.
/// </summary>
sealed class ReadFailedException(string reason, Exception? innerException = null) : Exception(reason, innerException);
