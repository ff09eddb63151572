namespace Datacake.Administration;

/// <summary>A call to a node's administration that failed. The message says why, and what to do.</summary>
public sealed class AdministrationException(string message, Exception? innerException = null) : Exception(message, innerException);
