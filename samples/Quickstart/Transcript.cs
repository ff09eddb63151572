using System.Runtime.CompilerServices;

namespace Datacake.Quickstart;

/// <summary>What the scenario says while it runs. It claims nothing that it has not checked.</summary>
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

    /// <summary>Runs something, and shows with the next claim how long it took.</summary>
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

    /// <summary>Says something that becomes so soon, and how long it took.</summary>
    /// <exception cref="ClaimFailedException">It does not.</exception>
    public async Task ClaimSoonAsync(Func<ValueTask<bool>> isSo, string claim)
    {
        await TimeAsync(async () =>
        {
            long started = time.GetTimestamp();
            while (!await isSo())
            {
                if (time.GetElapsedTime(started) > Patience)
                    throw new ClaimFailedException($"This should be so within {Patience.TotalSeconds} s, and is not: {claim}");
                await Task.Delay(PollInterval, time);
            }
        });
        Claim(true, claim);
    }

    /// <summary>Says something that is so.</summary>
    /// <exception cref="ClaimFailedException">It isn't.</exception>
    public void Claim(bool isSo, string claim, [CallerArgumentExpression(nameof(isSo))] string? check = null)
    {
        if (!isSo)
            throw new ClaimFailedException($"This should be so, and is not: {claim} ({check})");
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
        output.WriteLine($"{_claims} claims, all of them checked, in {time.GetElapsedTime(_started).TotalSeconds:0.0} s.");
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

/// <summary>Something that the transcript was about to claim is not so.</summary>
sealed class ClaimFailedException(string message) : Exception(message);
