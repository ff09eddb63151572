using Datacake.Data;

namespace Company.Worker;

/// <summary>A letter that is to be sent, or was sent.</summary>
public sealed class Letter
{
    public Guid Id { get; set; }

    public string To { get; set; } = "";

    public string Text { get; set; } = "";

    /// <summary>Gets or sets the time at which the letter was sent; null if it was not.</summary>
    [Index]
    public DateTimeOffset? SentAt { get; set; }
}
