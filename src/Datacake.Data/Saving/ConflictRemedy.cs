namespace Datacake.Data.Saving;

/// <summary>The ends of the messages of saves that conflict with what a serial unit of work has read.</summary>
static class ConflictRemedy
{
    /// <summary>The text for a work that the application has begun.</summary>
    public const string OfWork =
        "This serial unit of work can no longer be saved, because what it has read is out of date. Dispose it, reload the tracked entities or clear the change tracker, and repeat "
            + "the work in another one (BeginSerialAsync); RunSerialAsync does so for you.";

    /// <summary>Returns the text for a work that <c>RunSerialAsync</c> runs.</summary>
    /// <param name="attempt">The number of the attempt.</param>
    /// <param name="maxAttempts">The limit of attempts.</param>
    public static string OfRun(int attempt, int maxAttempts)
    {
        if (attempt < maxAttempts)
            return $"RunSerialAsync discards the changes of the work and runs it again; this was attempt {attempt} of {maxAttempts}.";
        string runs = attempt == 1
            ? "RunSerialAsync has run the work once, which is the limit of this call, and something that the work had read was changed before it was saved."
            : $"RunSerialAsync has run the work {attempt} times, which is the limit of this call, and each time something that the work had read was changed before it was saved.";
        return $"{runs} The changes of the work were discarded. Make the work shorter, let it read less (give its queries indexes), pass a larger maxAttempts, or call RunSerialAsync again later.";
    }
}
