using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Where the entities of a query come from.</summary>
/// <param name="Context">The context.</param>
/// <param name="Model">The entity class, which they may be of a class derived from.</param>
/// <param name="IsTracking">Whether they are tracked.</param>
/// <param name="Identities">The instances of the run under way, if it tracks nothing and has them.</param>
sealed record QuerySource(DatacakeContext Context, EntityModel Model, bool IsTracking, RunIdentities? Identities = null);
