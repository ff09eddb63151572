namespace Datacake.Quickstart.Tests;

public sealed class TranscriptTests
{
    [Fact]
    public void False_claim_is_thrown_and_not_printed()
    {
        using var output = new StringWriter();
        var failure = Assert.Throws<ClaimFailedException>(() => new Transcript(output, TimeProvider.System).Claim(1 > 2, "one is more than two"));
        Assert.Contains("one is more than two (1 > 2)", failure.Message, StringComparison.Ordinal);
        Assert.Empty(output.ToString());
    }

    [Fact]
    public void Long_lines_are_wrapped_at_spaces()
    {
        using var output = new StringWriter();
        new Transcript(output, TimeProvider.System).Say(string.Join(' ', Enumerable.Repeat("word", 100)));
        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 120));
        Assert.Equal(100, lines.Sum(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Count(word => word == "word")));
    }
}
