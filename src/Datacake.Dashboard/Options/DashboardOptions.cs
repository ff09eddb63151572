namespace Datacake.Dashboard;

/// <summary>The settings of a dashboard.</summary>
public sealed class DashboardOptions
{
    /// <summary>Gets or sets the title of the pages. Default: Datacake.</summary>
    public string Title { get; set; } = "Datacake";

    /// <summary>Gets or sets the time between two updates of a live page, from 0.5 s to 1 min. Default: 2 s.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Gets or sets the time within which another member must answer to be shown, from 0.1 s to 30 s. A page with members that do not answer takes
    /// that long. Default: 1 s.
    /// </summary>
    public TimeSpan PeerTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the number of query shapes that are kept in memory, from 1 to 10,000. Default: 200.</summary>
    public int MaxQueryShapes { get; set; } = 200;

    /// <summary>
    /// Gets or sets the number of documents that a search reads before it shows a page with a link to continue, from 100 to 1,000,000. Default:
    /// 10,000.
    /// </summary>
    public int MaxSearchedDocuments { get; set; } = 10_000;

    /// <summary>Gets or sets the number of live tails that can be open at the same time, from 0 to 1,000. Default: 16.</summary>
    public int MaxTails { get; set; } = 16;

    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(Title))
            throw new ArgumentException($"{nameof(DashboardOptions)}.{nameof(Title)} is empty. Give the pages a title.");
        Check(nameof(RefreshInterval), RefreshInterval, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(1));
        Check(nameof(PeerTimeout), PeerTimeout, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(30));
        Check(nameof(MaxQueryShapes), MaxQueryShapes, 1, 10_000);
        Check(nameof(MaxSearchedDocuments), MaxSearchedDocuments, 100, 1_000_000);
        Check(nameof(MaxTails), MaxTails, 0, 1_000);
    }

    static void Check<T>(string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(DashboardOptions)}.{name} is {value}; it must be from {min} to {max}."));
    }
}
