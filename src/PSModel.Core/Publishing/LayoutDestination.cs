using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>A folder that is an OCI image layout, or becomes one. Thread-safe.</summary>
/// <param name="path">Its absolute path; it need not exist.</param>
/// <param name="tell">Told what users may want to know.</param>
public sealed class LayoutDestination(string path, Action<string> tell) : PublishDestination
{
    private readonly LayoutFolder _folder = new(new ModelStore(path));

    internal override IPublishTarget Open(Manifest manifest, ModelName asked)
    {
        _folder.RequireOwn();
        return new LayoutTarget(_folder, tell);
    }
}
