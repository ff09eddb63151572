namespace Datacake.Tool.Diagnosis;

/// <summary>The result of one check.</summary>
/// <param name="Name">A short name that stays the same in later versions, such as <c>port</c>.</param>
/// <param name="IsGood">True if nothing has to be done.</param>
/// <param name="Result">The result, as a sentence.</param>
/// <param name="Remedy">The remedy, as a sentence; null if there is nothing to do.</param>
sealed record Check(string Name, bool IsGood, string Result, string? Remedy = null);
