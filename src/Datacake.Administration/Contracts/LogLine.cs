namespace Datacake.Administration;

/// <summary>A line of a node's log.</summary>
/// <param name="Time">When it was written.</param>
/// <param name="Level">The level, such as <c>Warning</c>.</param>
/// <param name="Category">The category, such as <c>Datacake.Node.DatacakeNode</c>.</param>
/// <param name="EventId">The id of the event.</param>
/// <param name="Message">The message.</param>
/// <param name="Exception">The exception; null if there is none.</param>
public sealed record LogLine(DateTimeOffset Time, string Level, string Category, int EventId, string Message, string? Exception);
