@{
    RootModule           = 'bin/PSModel.dll'
    ModuleVersion        = '0.6.6'
    GUID                 = '6f0f7d0e-0a53-4d0c-9b0e-5a2f3f6f1c7b'
    Author               = 'The PSModel authors'
    CompanyName          = 'PSModel'
    Copyright            = '(c) 2026 The PSModel authors. MIT licence.'
    Description          = 'Saves AI models from the registry of Ollama, or any OCI registry, into the folder that Ollama reads. The SHA-256 of every blob is computed while its bytes arrive, so that a disk that reads wrong can no longer fail a right download.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Core', 'Desktop')
    DotNetFrameworkVersion = '4.7.2'
    FormatsToProcess     = @('bin/PSModel.Format.ps1xml')
    CmdletsToExport      = @('Export-ModelPin', 'Get-ModelManifest', 'Import-ModelPin', 'Publish-ModelBlob', 'Remove-ModelBlob', 'Save-ModelBlob', 'Test-ModelBlob')
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags         = @('Ollama', 'OCI', 'AI', 'LLM', 'Model', 'Download', 'SHA256', 'PSEdition_Core', 'PSEdition_Desktop', 'Windows', 'Linux', 'MacOS')
            ProjectUri   = 'https://www.powershellgallery.com/packages/PSModel'
            LicenseUri   = 'https://opensource.org/license/mit'
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
