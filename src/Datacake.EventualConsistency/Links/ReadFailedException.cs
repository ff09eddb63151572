namespace Datacake.EventualConsistency.Links;

/// <summary>One replica cannot answer a read; the message says why, as a clause without a full stop.</summary>
sealed class ReadFailedException(string reason, Exception? innerException = null) : Exception(reason, innerException);
