BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 1
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Get-ModelManifest' {
    It 'reads a manifest from the registry' {
        $manifest = Get-ModelManifest $registry.Name
        $manifest | Should -BeOfType ([PSModel.ModelManifest])
        $manifest.Name | Should -Be "$($registry.Address.Authority)/library/demo:latest"
        $manifest.Tag | Should -Be 'latest'
        $manifest.SchemaVersion | Should -Be 2
        $manifest.Layers.Kind | Should -Be @('Model', 'Template', 'License', 'Params')
        $manifest.Config.Kind | Should -Be 'Config'
        $manifest.Size | Should -Be (($manifest.Layers + $manifest.Config | Measure-Object Size -Sum).Sum)
        $manifest.Digest | Should -Match '^sha256:[0-9a-f]{64}$'
    }

    It 'gives the text byte for byte with -Raw' {
        $raw = Get-ModelManifest $registry.Name -Raw
        $raw | Should -BeOfType ([string])
        $hash = [System.Security.Cryptography.SHA256]::Create().ComputeHash([System.Text.Encoding]::UTF8.GetBytes($raw))
        $digest = 'sha256:' + ([System.BitConverter]::ToString($hash) -replace '-').ToLowerInvariant()
        $digest | Should -Be (Get-ModelManifest $registry.Name).Digest
    }

    It 'gives objects that JSON keeps with config and layers' {
        $manifest = Get-ModelManifest $registry.Name
        $read = $manifest | ConvertTo-Json -WarningVariable truncated | ConvertFrom-Json
        $truncated | Should -BeNullOrEmpty
        $read.Layers.Digest | Should -Be $manifest.Layers.Digest
        $read.Config.Size | Should -Be $manifest.Config.Size
        $read.Raw | Should -Be $manifest.Raw
    }

    It 'gives objects that CSV keeps, and whose rows can be asked for again' {
        $file = Join-Path $TestDrive 'manifests.csv'
        Get-ModelManifest $registry.Name | Export-Csv $file -NoTypeInformation
        $row = Import-Csv $file
        $manifest = Get-ModelManifest $registry.Name
        foreach ($property in 'Host', 'Namespace', 'Model', 'Tag', 'Digest', 'MediaType', 'SchemaVersion', 'Size', 'Source', 'Raw') {
            $row.$property | Should -Be $manifest.$property
        }

        $row.Config | Should -BeLike "*$($manifest.Config.Digest)*"
        ([pscustomobject]@{ Name = $registry.Name } | Get-ModelManifest).Digest | Should -Be $row.Digest
    }

    It 'gives objects that remoting keeps with config and layers' {
        $modulePath = Get-StagedModulePath
        $name = $registry.Name
        $job = Start-Job {
            Import-Module $using:modulePath
            Get-ModelManifest $using:name
        }
        $received = $job | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
        $manifest = Get-ModelManifest $name
        $received.Layers.Digest | Should -Be $manifest.Layers.Digest
        $received.Layers.Size | Should -Be $manifest.Layers.Size
        $received.Config.Digest | Should -Be $manifest.Config.Digest
        $received.Raw | Should -Be $manifest.Raw
    }

    It 'stops for Select-Object -First' {
        "$($registry.Prefix)demo", "$($registry.Prefix)none" | Get-ModelManifest -ErrorVariable problem | Select-Object -First 1 | Should -HaveCount 1
        $problem | Should -BeNullOrEmpty
    }

    It 'says that a model is not there' {
        { Get-ModelManifest "$($registry.Prefix)none" -ErrorAction Stop } | Should -Throw -ErrorId 'ManifestNotFound,*'
    }

    It 'allows wildcards in the store alone' {
        { Get-ModelManifest 'demo*' -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidModelName,*'
    }

    Context 'with -Local' {
        BeforeAll {
            $store = Join-Path $TestDrive 'store'
            $null = Save-ModelBlob 'demo', 'cut' $store -VerifyInline -Registry $registry.Address
        }

        It 'reads the store' {
            $manifest = Get-ModelManifest demo -Local -StorePath $store
            $manifest.Name | Should -Be 'demo:latest'
            $manifest.Source | Should -Exist
        }

        It 'matches <Pattern>' -TestCases @(
            @{ Pattern = 'd*'; Names = @('demo:latest') }
            @{ Pattern = '*'; Names = @('cut:latest', 'demo:latest') }
            @{ Pattern = 'CUT:*'; Names = @('cut:latest') }
        ) {
            (Get-ModelManifest $Pattern -Local -StorePath $store).Name | Should -Be $Names
        }

        It 'gives every manifest where no name is given' {
            Get-ModelManifest -StorePath $store | Should -HaveCount 2
        }

        It 'gives nothing for a pattern that matches nothing, and an error for a name' {
            Get-ModelManifest 'nothing*' -Local -StorePath $store -ErrorAction Stop | Should -BeNullOrEmpty
            { Get-ModelManifest nothing -Local -StorePath $store -ErrorAction Stop } | Should -Throw -ErrorId 'ManifestNotFound,*'
        }
    }

    Context 'completion' {
        BeforeAll {
            function Complete([string] $Line) {
                [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
            }

            $full = Join-Path $TestDrive 'completed'
            $null = Save-ModelBlob 'demo', 'cut' $full -VerifyInline -Registry $registry.Address
        }

        It 'completes names from the store, with wildcards' {
            (Complete "Get-ModelManifest -StorePath '$full' -Name ").CompletionText | Should -Be @('cut:latest', 'demo:latest')
            (Complete "Get-ModelManifest -Local -StorePath '$full' *em").CompletionText | Should -Be 'demo:latest'
        }

        It 'completes names from the default store where no path is given' {
            $before = $env:OLLAMA_MODELS
            $env:OLLAMA_MODELS = $full
            try {
                (Complete 'Get-ModelManifest c').CompletionText | Should -Be 'cut:latest'
            } finally {
                $env:OLLAMA_MODELS = $before
            }
        }

        It 'completes the store with folders' {
            (Complete "Get-ModelManifest demo '$full/b").CompletionText | Should -Be "'$(Join-Path $full 'blobs')'"
        }
    }
}
