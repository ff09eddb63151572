namespace Datacake.PostgreSql.Projection;

/// <summary>The settings of a projection.</summary>
sealed class ProjectionSettings
{
    public string ConnectionString { get; set; } = "";

    public string Name { get; set; } = "projection";

    public string Schema { get; set; } = "public";

    public IProgress<ProjectionProgress>? Progress { get; set; }

    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(5);

    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(10);
}
