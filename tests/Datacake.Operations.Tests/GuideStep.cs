namespace Datacake.Operations.Tests;

/// <summary>A step of a procedure.</summary>
/// <param name="Commands">The commands, for bash.</param>
/// <param name="Expected">The texts that the guide promises as output.</param>
sealed record GuideStep(string Commands, IReadOnlyList<string> Expected);
