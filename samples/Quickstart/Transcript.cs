using System.Runtime.CompilerServices;

namespace Datacake.Quickstart;

/// <summary>The output of the scenario. It claims nothing that the scenario has not checked.</summary>
sealed class Transcript(TextWriter output, TimeProvider time)
{
    const int Width = 106;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    readonly long _started = time.GetTimestamp();
    TimeSpan? _elapsed;
    int _chapter;
    int _claims;

    public void Title(string text) => output.WriteLine(text);

    public void Chapter(string text)
    {
        output.WriteLine();
        output.WriteLine($"{++_chapter}  {text}");
    }

    public void Say(string text)
    {
        foreach (string line in Wrap(text))
            output.WriteLine($"     {line}");
    }

    /// <summary>Runs an action. The next claim shows how long the action took.</summary>
    public async Task<T> TimeAsync<T>(Func<Task<T>> action)
    {
        long started = time.GetTimestamp();
        var result = await action();
        _elapsed = time.GetElapsedTime(started);
        return result;
    }

    /// <inheritdoc cref="TimeAsync{T}"/>
    public async Task TimeAsync(Func<Task> action) => await TimeAsync(async () =>
    {
        await action();
        return true;
    });

    /// <summary>Waits until a condition is true, and then prints the claim and how long that took.</summary>
    /// <exception cref="ClaimFailedException">The condition did not become true in time.</exception>
    public async Task ClaimSoonAsync(Func<ValueTask<bool>> isSo, string claim)
    {
        await TimeAsync(async () =>
        {
            long started = time.GetTimestamp();
            while (!await isSo())
            {
                if (time.GetElapsedTime(started) > Patience)
                    throw new ClaimFailedException($"This claim did not become true within {Patience.TotalSeconds} s: {claim}");
                await Task.Delay(PollInterval, time);
            }
        });
        Claim(true, claim);
    }

    /// <summary>Prints a claim that is true.</summary>
    /// <exception cref="ClaimFailedException">The claim is false.</exception>
    public void Claim(bool isSo, string claim, [CallerArgumentExpression(nameof(isSo))] string? check = null)
    {
        if (!isSo)
            throw new ClaimFailedException($"This claim is false: {claim} ({check}).");
        _claims++;
        var lines = Wrap(claim).ToArray();
        for (int i = 0; i < lines.Length; i++)
        {
            string elapsed = i == lines.Length - 1 && _elapsed is { } shown ? $"{shown.TotalMilliseconds,7:0.0} ms" : "";
            output.WriteLine($"   {(i == 0 ? "✓" : " ")} {lines[i].PadRight(Width)}{elapsed}".TrimEnd());
        }
        _elapsed = null;
    }

    public void End()
    {
        output.WriteLine();
        output.WriteLine($"{_claims} claims, all checked, in {time.GetElapsedTime(_started).TotalSeconds:0.0} s.");
    }

    static IEnumerable<string> Wrap(string text)
    {
        foreach (string part in text.Split('\n'))
        {
            string rest = part;
            while (rest.Length > Width)
            {
                int end = rest.LastIndexOf(' ', Width);
                if (end <= 0)
                    break;
                yield return rest[..end];
                rest = rest[(end + 1)..];
            }
            yield return rest;
        }
    }
}

/// <summary>The exception for a claim of the scenario that is false.</summary>
sealed class ClaimFailedException(string message) : Exception(message);
