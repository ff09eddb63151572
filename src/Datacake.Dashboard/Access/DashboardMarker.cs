namespace Datacake.Dashboard.Access;

/// <summary>The metadata of all endpoints of a dashboard.</summary>
sealed class DashboardMarker
{
    public static DashboardMarker Instance { get; } = new();
}
