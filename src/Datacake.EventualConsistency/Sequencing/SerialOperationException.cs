namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The exception that is thrown when a sequencer has refused a serial transaction because of an operation that is not permitted. The transaction took no effect, and never will.
/// </summary>
sealed class SerialOperationException(string message) : InvalidOperationException(message);
